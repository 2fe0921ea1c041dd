using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>A step of a plan as profiles show it.</summary>
/// <param name="Name">The operator, with the activation that is fused into it.</param>
/// <param name="Shapes">Of inputs and outputs.</param>
/// <param name="Cost">What it costs.</param>
internal sealed record StepDescription(string Name, string Shapes, OperatorCost Cost)
{
    /// <summary>The steps of a plan's forward pass, in the order in which they run: all nodes but views.</summary>
    public static StepDescription[] Of(Plan plan) => [.. plan.Nodes.Where(node => !node.Op.IsView).Select(node => Of(node))];

    private static StepDescription Of(PlannedNode node) => new(
        NameOf(node.Op),
        $"{string.Join(" x ", node.Types.Inputs.Select(input => input.Shape))} -> "
            + string.Join(", ", node.Types.Outputs.Select(output => output.Shape)),
        OperatorCost.Of(node));

    private static string NameOf(Operator op) => op switch
    {
        IActivationEpilogue { Activation: { IsNone: false } fused } => $"{op.Name} + {fused.Name}",
        ActivationOp activation => activation.Activation.Name,
        _ => op.Name,
    };
}
