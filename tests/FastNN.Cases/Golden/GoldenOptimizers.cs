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
        ["optimizer_sgd"] = (golden, device) => Follow(golden, device, "sgd"),
        ["optimizer_adam"] = (golden, device) => Follow(golden, device, "adam"),
        ["optimizer_adamw"] = (golden, device) => Follow(golden, device, "adamw"),
        ["optimizer_adamax"] = (golden, device) => Follow(golden, device, "adamax"),
        ["optimizer_nadam"] = (golden, device) => Follow(golden, device, "nadam"),
        ["optimizer_rmsprop"] = (golden, device) => Follow(golden, device, "rmsprop"),
        ["optimizer_adagrad"] = (golden, device) => Follow(golden, device, "adagrad"),
        ["optimizer_adadelta"] = (golden, device) => Follow(golden, device, "adadelta"),
    };

    public static Optimizer Create(string name, Attributes attributes)
    {
        float rate = attributes.Float("lr");
        float decay = attributes.Float("weight_decay");
        float Epsilon() => attributes.Float("eps");
        float[] betas = attributes.Has("betas") ? attributes.Floats("betas") : [];
        bool AmsGrad() => attributes.Has("amsgrad") && attributes.Bool("amsgrad");
        return name switch
        {
            "sgd" =>
                new Sgd(rate, attributes.Float("momentum"), attributes.Float("dampening"), decay, attributes.Bool("nesterov")),
            "adam" => new Adam(rate, betas[0], betas[1], Epsilon(), decay, AmsGrad()),
            "adamw" => new AdamW(rate, betas[0], betas[1], Epsilon(), decay, AmsGrad()),
            "adamax" => new Adamax(rate, betas[0], betas[1], Epsilon(), decay),
            "nadam" => new NAdam(rate, betas[0], betas[1], Epsilon(), decay, attributes.Float("momentum_decay")),
            "rmsprop" =>
                new RmsProp(
                    rate, attributes.Float("alpha"), Epsilon(), decay, attributes.Float("momentum"), attributes.Bool("centered")),
            "adagrad" =>
                new Adagrad(rate, attributes.Float("lr_decay"), decay, attributes.Float("initial_accumulator_value"), Epsilon()),
            "adadelta" => new Adadelta(rate, attributes.Float("rho"), Epsilon(), decay),
            _ => throw new UnsupportedCaseException($"optimizer {name}"),
        };
    }

    private static void Follow(GoldenCase golden, Device device, string name)
    {
        Optimizer optimizer = Create(name, golden.Attributes);
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
