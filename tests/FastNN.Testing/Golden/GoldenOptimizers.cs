using System.Runtime.InteropServices;
using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Training;

namespace FastNN.Testing;

/// <summary>Optimizers: one parameter, a gradient per step, and the parameter after each step.</summary>
internal static class GoldenOptimizers
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["optimizer_sgd"] = (golden, device) => Follow(golden, device, Create("sgd", golden.Attributes)),
        ["optimizer_adam"] = (golden, device) => Follow(golden, device, Create("adam", golden.Attributes)),
        ["optimizer_adamw"] = (golden, device) => Follow(golden, device, Create("adamw", golden.Attributes)),
    };

    public static Optimizer Create(string name, Attributes attributes)
    {
        float rate = attributes.Float("lr");
        float decay = attributes.Float("weight_decay");
        if (name == "sgd")
        {
            return new Sgd(rate, attributes.Float("momentum"), attributes.Float("dampening"), decay, attributes.Bool("nesterov"));
        }

        float[] betas = attributes.Floats("betas");
        float epsilon = attributes.Float("eps");
        bool amsGrad = attributes.Has("amsgrad") && attributes.Bool("amsgrad");
        return name switch
        {
            "adam" => new Adam(rate, betas[0], betas[1], epsilon, decay, amsGrad),
            "adamw" => new AdamW(rate, betas[0], betas[1], epsilon, decay, amsGrad),
            _ => throw new UnsupportedCaseException($"optimizer {name}"),
        };
    }

    private static void Follow(GoldenCase golden, Device device, Optimizer optimizer)
    {
        IDevice implementation = device.Implementation;
        var parameter = new Parameter("p", new Shape(golden.ShapeOf("p0")), Initializer.Zeros);
        parameter.Write(golden.Floats("p0"));
        using var store = new ParameterStore(implementation, [parameter]);
        using var state = new StepState(store, [(optimizer, [parameter])]);
        store.Take([parameter]);
        var values = new float[parameter.Count];
        for (int step = 1; golden.Has($"g_{step}"); step++)
        {
            implementation.Upload(MemoryMarshal.AsBytes<float>(golden.Floats($"g_{step}")), state.Gradients.Gradient(parameter));
            state.Upload(step, step - 1);
            state.Update(null);
            parameter.Read(values);
            golden.Compare($"p_{step}", values);
        }
    }
}
