using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>What holds of a product whether or not the activation behind it is its epilogue.</summary>
internal static class FusionChecks
{
    /// <summary>
    /// The same network twice, once with the product readable, which keeps it a node of its own: outputs and gradients agree to
    /// the last bit.
    /// </summary>
    public static void RequireSameBits(
        IDevice device, Shape x, Shape[] parameters, Func<Value, Value[], Value> product, Activation activation)
    {
        float[][] fused = Run(device, x, parameters, product, activation, readProduct: false, out int fusedNodes);
        float[][] apart = Run(device, x, parameters, product, activation, readProduct: true, out int nodes);
        Assert.That(nodes, Is.EqualTo(2));
        Assert.That(fusedNodes, Is.EqualTo(activation.ForgetsInput ? 1 : 2));
        Near.SameBits(apart, fused);
    }

    private static float[][] Run(
        IDevice device, Shape x, Shape[] parameters, Func<Value, Value[], Value> product, Activation activation, bool readProduct,
        out int nodes)
    {
        var graph = new Graph(GraphMode.Training);
        Value[] inputs = [graph.Input(x), .. parameters.Select(shape => graph.Input(shape))];
        Value z = product(inputs[0], inputs[1..]);
        Value y = z.Activate(activation).AsInnerNode();
        using var run = new GraphRun(device, graph, readProduct ? [z] : [], y, inputs);
        for (int i = 0; i < inputs.Length; i++)
        {
            run.Set(inputs[i], Array.ConvertAll(OpInput.Uniform("", inputs[i].Shape).Values(i), value => (float)value));
        }

        run.SetRootGradient(Array.ConvertAll(OpCase.DrawUpstream((int)y.Shape.Count), value => (float)value));
        run.Run();
        nodes = run.Plan.Nodes.Count(node => !node.Op.IsView);
        return [run.Read(y), .. inputs.Select(run.Gradient)];
    }
}
