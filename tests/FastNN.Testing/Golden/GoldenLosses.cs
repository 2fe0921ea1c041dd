using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>Losses. Files have the classes on axis 1; the engine has them last.</summary>
internal static class GoldenLosses
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["mse_loss"] = MeanSquaredError,
        ["l1_loss"] = (golden, device) => Elements(golden, device, new MeanAbsoluteErrorLoss { Reduction = Reduced(golden) }),
        ["huber_loss"] = (golden, device) => Elements(golden, device, new HuberLoss(golden.Attributes.Float("delta")) { Reduction = Reduced(golden) }),
        ["smooth_l1_loss"] = (golden, device) =>
            Elements(golden, device, new SmoothL1Loss(golden.Attributes.Float("beta")) { Reduction = Reduced(golden) }),
        ["bce_loss"] = (golden, device) => BinaryCrossEntropy(golden, device, fromLogits: false),
        ["bce_with_logits_loss"] = (golden, device) => BinaryCrossEntropy(golden, device, fromLogits: true),
        ["cross_entropy"] = (golden, device) => CrossEntropy(golden, device, CrossEntropyInput.Logits, "class indices"),
        ["cross_entropy_probabilities"] = (golden, device) => CrossEntropy(golden, device, CrossEntropyInput.Logits, "class probabilities"),
        ["nll_loss"] = (golden, device) => CrossEntropy(golden, device, CrossEntropyInput.LogProbabilities, target: null),
    };

    private static void MeanSquaredError(GoldenCase golden, Device device)
    {
        Reduction reduction = Reduced(golden);
        Run(golden, device, [Port.Plain(golden, "x"), Port.Plain(golden, "target")], new MeanSquaredErrorOp(reduction));
    }

    private static void Elements(GoldenCase golden, Device device, Loss loss) => GoldenRunner.RunOperator(
        golden, device, [Port.Plain(golden, "x"), Port.Plain(golden, "target")], Port.Plain(golden, "loss"), values => loss.Apply(values[0], values[1]));

    private static void BinaryCrossEntropy(GoldenCase golden, Device device, bool fromLogits)
    {
        Reduction reduction = Reduced(golden);
        bool weight = golden.Attributes.Bool("weight");
        bool positive = golden.Attributes.Has("pos_weight") && golden.Attributes.Bool("pos_weight");
        List<Port> inputs = [Port.Plain(golden, "x"), Port.Plain(golden, "target")];
        if (weight)
        {
            inputs.Add(Port.Plain(golden, "weight"));
        }

        if (positive)
        {
            inputs.Add(Port.Plain(golden, "pos_weight"));
        }

        Run(golden, device, inputs, new BinaryCrossEntropyOp(fromLogits, reduction, weight, positive));
    }

    private static void CrossEntropy(GoldenCase golden, Device device, CrossEntropyInput input, string? target)
    {
        Attributes attributes = golden.Attributes;
        if (target is not null)
        {
            attributes.Require("target", target);
        }

        int axis = attributes.Int("class_axis");
        var options = new CrossEntropyOptions(
            input, Reduced(golden), attributes.Has("label_smoothing") ? attributes.Float("label_smoothing") : 0, attributes.Int("ignore_index", -100));
        bool indices = golden.IsInteger("target");
        List<Port> inputs = [Port.Classes(golden, "x", axis), indices ? Port.Plain(golden, "target") : Port.Classes(golden, "target", axis)];
        if (attributes.Bool("weight"))
        {
            inputs.Add(Port.Plain(golden, "weight"));
        }

        Run(golden, device, inputs, new CrossEntropyOp(options));
    }

    private static void Run(GoldenCase golden, Device device, List<Port> inputs, Operator op) =>
        GoldenRunner.RunOperator(golden, device, [.. inputs], Port.Plain(golden, "loss"), values => values[0].Graph.Add(op, values));

    private static Reduction Reduced(GoldenCase golden) => golden.Attributes.String("reduction") switch
    {
        "mean" => Reduction.Mean,
        "sum" => Reduction.Sum,
        "none" => Reduction.None,
        string other => throw new UnsupportedCaseException($"reduction = {other}"),
    };
}
