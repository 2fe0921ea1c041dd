using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Testing;

/// <summary>Losses. Files have the classes on axis 1; the engine has them last.</summary>
internal static class GoldenLosses
{
    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new(Elements())
    {
        ["bce_loss"] = (golden, device) => BinaryCrossEntropy(golden, device, fromLogits: false),
        ["bce_with_logits_loss"] = (golden, device) => BinaryCrossEntropy(golden, device, fromLogits: true),
        ["kl_div_loss"] = KLDivergence,
        ["cross_entropy"] = (golden, device) => CrossEntropy(golden, device, CrossEntropyInput.Logits, "class indices"),
        ["cross_entropy_probabilities"] = (golden, device) => CrossEntropy(
            golden, device, CrossEntropyInput.Logits, "class probabilities"),
        ["margin_ranking_loss"] = (golden, device) => Record(
            golden, device, ["x0", "x1", "target"], (values, attributes, reduction) =>
            values[0].MarginRankingLoss(values[1], values[2], attributes.Float("margin"), reduction)),
        ["cosine_embedding_loss"] = (golden, device) => Record(
            golden, device, ["x0", "x1", "target"], (values, attributes, reduction) =>
            values[0].CosineEmbeddingLoss(values[1], values[2], attributes.Float("margin"), reduction)),
        ["triplet_margin_loss"] = (golden, device) => Record(
            golden, device, ["x0", "x1", "x2"], (values, attributes, reduction) =>
            values[0].TripletMarginLoss(
                values[1], values[2], attributes.Float("margin"), attributes.Float("p"), attributes.Bool("swap"),
                attributes.Float("eps"), reduction)),
        ["ctc_loss"] = Ctc,
        ["nll_loss"] = (golden, device) => CrossEntropy(golden, device, CrossEntropyInput.LogProbabilities, target: null),
    };

    /// <summary>The losses of single elements that PyTorch knows by the name in their row.</summary>
    private static Dictionary<string, Action<GoldenCase, Device>> Elements() =>
        FunctionTable.Losses.Where(row => row.Info.Torch is not null)
        .ToDictionary(
            row => row.Info.Torch!, row => (Action<GoldenCase, Device>)((golden, device) => Element(golden, device, row)));

    private static void Element(GoldenCase golden, Device device, LossFunction loss)
    {
        float[] scalars = Array.ConvertAll(loss.Info.Scalars, scalar =>
            golden.Attributes.Has(scalar.Torch ?? scalar.Name)
                ? golden.Attributes.Float(scalar.Torch ?? scalar.Name)
                : scalar.Default);
        Run(golden, device, Pair(golden), new ElementLossOp(loss, Scalars.Of(scalars), Reduced(golden)));
    }

    private static void KLDivergence(GoldenCase golden, Device device)
    {
        golden.Attributes.Skip("note");
        LossFunction loss = golden.Attributes.Bool("log_target")
            ? LossFunction.Of<LogDivergence>()
            : LossFunction.Of<Divergence>();
        string reduction = golden.Attributes.String("reduction");
        Run(golden, device, Pair(golden), new ElementLossOp(
            loss, default, reduction == "batchmean" ? Reduction.Mean : Named(reduction), PerExample: reduction == "batchmean"));
    }

    private static List<Port> Pair(GoldenCase golden) => [Port.Plain(golden, "x"), Port.Plain(golden, "target")];

    private static void BinaryCrossEntropy(GoldenCase golden, Device device, bool fromLogits)
    {
        Reduction reduction = Reduced(golden);
        bool weight = golden.Attributes.Bool("weight");
        bool positive = golden.Attributes.Has("pos_weight") && golden.Attributes.Bool("pos_weight");
        List<Port> inputs = Pair(golden);
        if (weight)
        {
            inputs.Add(Port.Plain(golden, "weight"));
        }

        if (positive)
        {
            inputs.Add(Port.Plain(golden, "pos_weight"));
        }

        LossFunction loss = !fromLogits
            ? LossFunction.Of<ProbabilityLoss>()
            : positive
            ? LossFunction.Of<WeightedLogitLoss>()
            : LossFunction.Of<LogitLoss>();
        Run(golden, device, inputs, new ElementLossOp(loss, default, reduction, HasWeight: weight));
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
            input, Reduced(golden), attributes.Has("label_smoothing") ? attributes.Float("label_smoothing") : 0,
            attributes.Int("ignore_index", -100));
        bool indices = golden.IsInteger("target");
        List<Port> inputs = [
            Port.Classes(golden, "x", axis), indices ? Port.Plain(golden, "target") : Port.Classes(golden, "target", axis)];
        if (attributes.Bool("weight"))
        {
            inputs.Add(Port.Plain(golden, "weight"));
        }

        Run(golden, device, inputs, new CrossEntropyOp(options));
    }

    private static void Ctc(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        attributes.Require("targets", "padded [batch, longest]");
        (int blank, bool zeroInfinity, Reduction reduction) = (
            attributes.Int("blank"), attributes.Bool("zero_infinity"), Reduced(golden));
        var graph = new Graph(GraphMode.Training);
        string[] names = ["x", "target", "input_lengths", "target_lengths"];
        Value[] values = Array.ConvertAll(names, name => graph.Input(
            new Shape(golden.ShapeOf(name)), golden.IsInteger(name) ? DType.Int32 : DType.Float32));
        Value logarithms = values[0].LogSoftmax();
        Value loss = logarithms.CtcLoss(values[1], values[2], values[3], blank, zeroInfinity, reduction);
        using var run = new GraphRun(device.Implementation, graph, [logarithms, loss], loss, [values[0]]);
        for (int i = 0; i < names.Length; i++)
        {
            GoldenRunner.Set(run, values[i], golden, Port.Plain(golden, names[i]));
        }

        if (golden.Has("dloss"))
        {
            run.SetRootGradient(golden.Floats("dloss"));
        }

        run.Run();
        golden.Compare("log_probs", run.Read(logarithms));
        golden.Compare("loss", run.Read(loss));
        golden.Compare("dx", run.Gradient(values[0]));
    }

    /// <summary>A loss of several values, recorded by its fluent call.</summary>
    private static void Record(
        GoldenCase golden, Device device, string[] inputs, Func<Value[], Attributes, Reduction, Value> record)
    {
        Reduction reduction = Reduced(golden);
        GoldenRunner.RunOperator(
            golden, device, Array.ConvertAll(inputs, name => Port.Plain(golden, name)), Port.Plain(golden, "loss"),
            values => record(values, golden.Attributes, reduction));
    }

    private static void Run(GoldenCase golden, Device device, List<Port> inputs, Operator op) =>
        GoldenRunner.RunOperator(
            golden, device, [.. inputs], Port.Plain(golden, "loss"), values => values[0].Graph.Add(op, values));

    private static Reduction Reduced(GoldenCase golden) => Named(golden.Attributes.String("reduction"));

    private static Reduction Named(string reduction) => reduction switch
    {
        "mean" => Reduction.Mean,
        "sum" => Reduction.Sum,
        "none" => Reduction.None,
        string other => throw new UnsupportedCaseException($"reduction = {other}"),
    };
}
