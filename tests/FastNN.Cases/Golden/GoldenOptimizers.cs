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
        ["clip_grad_norm"] = (golden, device) => Clip(golden, device, new Sgd
        {
            ClipNorm = golden.Attributes.Float("max_norm"),
            ClipNormOrder = golden.Attributes.IsString("norm_type")
                && golden.Attributes.String("norm_type") == "inf" ? float.PositiveInfinity : golden.Attributes.Float("norm_type"),
        }),
        ["clip_grad_value"] = (golden, device) =>
            Clip(golden, device, new Sgd { ClipValue = golden.Attributes.Float("clip_value") }),
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

    /// <summary>Gradients as an update finds them, and their norm before that.</summary>
    private static void Clip(GoldenCase golden, Device device, Optimizer optimizer)
    {
        IDevice implementation = device.Implementation;
        string[] names = [.. golden.TensorNames.Where(name => golden.Has(name + "_clipped"))];
        Parameter[] parameters = Array.ConvertAll(
            names, name => new Parameter(name, new Shape(golden.ShapeOf(name)), Initializer.Zeros));
        Array.ForEach(parameters, parameter => parameter.Write(new float[parameter.Count]));
        using var store = new ParameterStore(implementation, parameters);
        using var state = new StepState(store, [(optimizer, parameters)]);
        store.Take(parameters);
        for (int i = 0; i < names.Length; i++)
        {
            implementation.Upload(
                MemoryMarshal.AsBytes<float>(golden.Floats(names[i])), state.Gradients.Gradient(parameters[i]));
        }

        state.Upload(1, 0);
        state.Update(null);
        if (golden.Has("total_norm"))
        {
            var results = new float[4];
            implementation.Download(state.Results, MemoryMarshal.AsBytes(results.AsSpan()));
            golden.Compare("total_norm", [results[optimizer.ClipNormOrder == 2 ? 1 : 2]]);
        }

        for (int i = 0; i < names.Length; i++)
        {
            var clipped = new float[parameters[i].Count];
            implementation.Download(state.Gradients.Gradient(parameters[i]), MemoryMarshal.AsBytes(clipped.AsSpan()));
            golden.Compare(names[i] + "_clipped", clipped);
        }
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
