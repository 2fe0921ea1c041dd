using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>A step of a plan, or of what follows it in training, as profiles show it.</summary>
/// <param name="Pass">Which part of a training step it belongs to.</param>
/// <param name="Name">The operator, with the activation that is fused into it.</param>
/// <param name="Shapes">Of inputs and outputs.</param>
/// <param name="Cost">What it costs.</param>
internal sealed record StepDescription(ProfilePass Pass, string Name, string Shapes, OperatorCost Cost)
{
    /// <summary>The steps of a plan's forward pass, in the order in which they run: all nodes but views.</summary>
    public static StepDescription[] Forward(Plan plan) =>
    [
        .. plan.Nodes.Where(node => !node.Op.IsView).Select(node => Of(node, ProfilePass.Forward, "", OperatorCost.Of(node))),
    ];

    /// <summary>The steps of its backward pass, likewise: those in which something runs.</summary>
    public static StepDescription[] Backward(Plan plan) =>
    [
        .. plan.Backward.Where(Executor.Runs).Select(pass => pass.Kind == PassKind.Again
            ? Of(pass.Node, ProfilePass.Backward, " again", OperatorCost.Of(pass.Node))
            : Of(pass.Node, ProfilePass.Backward, " backward", OperatorCost.OfBackward(pass.Node))),
    ];

    private static StepDescription Of(PlannedNode node, ProfilePass pass, string suffix, OperatorCost cost) => new(
        pass, NameOf(node.Op) + suffix,
        $"{string.Join(" x ", node.Types.Inputs.Select(input => input.Shape))} -> "
            + string.Join(", ", node.Types.Outputs.Select(output => output.Shape)),
        cost);

    private static string NameOf(Operator op) => op switch
    {
        IActivationEpilogue { Activation: { IsNone: false } fused } => $"{op.Name} + {fused.Name}",
        ActivationOp activation => activation.Activation.Name,
        _ => op.Name,
    };
}
