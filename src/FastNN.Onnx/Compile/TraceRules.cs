using FastNN.Onnx.Host;

namespace FastNN.Onnx.Compile;

/// <summary>The table of operators that the engine has: how each is recorded.</summary>
internal static class TraceRules
{
    private static readonly Dictionary<string, TraceRule> Table = new(StringComparer.Ordinal)
    {
        ["Abs"] = Unary(x => x.Abs()),
        ["Acos"] = Unary(x => x.Acos()),
        ["Acosh"] = Unary(x => x.Acosh()),
        ["Asin"] = Unary(x => x.Asin()),
        ["Asinh"] = Unary(x => x.Asinh()),
        ["Atan"] = Unary(x => x.Atan()),
        ["Atanh"] = Unary(x => x.Atanh()),
        ["Ceil"] = Unary(x => x.Ceiling()),
        ["Cos"] = Unary(x => x.Cos()),
        ["Cosh"] = Unary(x => x.Cosh()),
        ["Erf"] = Unary(x => x.Erf()),
        ["Exp"] = Unary(x => x.Exp()),
        ["Floor"] = Unary(x => x.Floor()),
        ["HardSwish"] = Unary(x => x.HardSwish()),
        ["Log"] = Unary(x => x.Log()),
        ["Mish"] = Unary(x => x.Mish()),
        ["Neg"] = Unary(x => x.Negate()),
        ["Reciprocal"] = Unary(x => x.Reciprocal()),
        ["Relu"] = Unary(x => x.ReLU()),
        ["Round"] = Unary(x => x.Round()),
        ["Sigmoid"] = Unary(x => x.Sigmoid()),
        ["Sign"] = Unary(x => x.Sign()),
        ["Sin"] = Unary(x => x.Sin()),
        ["Sinh"] = Unary(x => x.Sinh()),
        ["Softplus"] = Unary(x => x.Softplus()),
        ["Softsign"] = Unary(x => x.Softsign()),
        ["Sqrt"] = Unary(x => x.Sqrt()),
        ["Tan"] = Unary(x => x.Tan()),
        ["Tanh"] = Unary(x => x.Tanh()),
        ["LeakyRelu"] = Unary((x, call) => x.LeakyReLU(call.Float("alpha", 0.01f))),
        ["Elu"] = Unary((x, call) => x.Elu(call.Float("alpha", 1))),
        ["Celu"] = Unary((x, call) => x.Celu(call.Float("alpha", 1))),
        ["HardSigmoid"] = Unary((x, call) => x.HardSigmoid(call.Float("alpha", 0.2f), call.Float("beta", 0.5f))),
        ["ThresholdedRelu"] = Unary((x, call) => x.Threshold(call.Float("alpha", 1))),
        ["Gelu"] = Unary((x, call) => call.Text("approximate", "none") == "tanh" ? x.GeluTanh() : x.Gelu()),
        ["Swish"] = Unary((x, call) => call.Float("alpha", 1) is 1 ? x.SiLU() : x * (x * call.Float("alpha", 1)).Sigmoid()),
        ["Clip"] = ElementRules.Clip,
        ["Not"] = ElementRules.Not,
        ["Cast"] = ElementRules.Cast,
        ["Add"] = ElementRules.Binary((a, b) => a + b, (a, b) => a + b, (a, b) => a + b),
        ["Sub"] = ElementRules.Binary((a, b) => a - b, (a, b) => a - b, (a, b) => a - b),
        ["Mul"] = ElementRules.Binary((a, b) => a * b, (a, b) => a * b, (a, b) => a * b),
        ["Div"] = ElementRules.Binary((a, b) => a / b, (a, b) => a / b, (a, b) => a / b),
        ["Pow"] = ElementRules.Binary((a, b) => a.Pow(b), (a, b) => b == 2 ? a.Square() : a.Pow(b), null),
        ["Max"] = ElementRules.Binary((a, b) => a.Maximum(b), (a, b) => a.Maximum(b), (a, b) => b.Maximum(a)),
        ["Min"] = ElementRules.Binary((a, b) => a.Minimum(b), (a, b) => a.Minimum(b), (a, b) => b.Minimum(a)),
        ["Sum"] = ElementRules.Sum,
        ["PRelu"] = ElementRules.PRelu,
        ["Equal"] = ElementRules.Relation((a, b) => a.Equal(b)),
        ["Less"] = ElementRules.Relation((a, b) => a.Less(b)),
        ["LessOrEqual"] = ElementRules.Relation((a, b) => a.LessOrEqual(b)),
        ["Greater"] = ElementRules.Relation((a, b) => a.Greater(b)),
        ["GreaterOrEqual"] = ElementRules.Relation((a, b) => a.GreaterOrEqual(b)),
        ["Where"] = ElementRules.Where,

        ["Identity"] = ShapeRules.Identity,
        ["Dropout"] = ShapeRules.Dropout,
        ["Reshape"] = ShapeRules.Reshape,
        ["Flatten"] = ShapeRules.Reshape,
        ["Squeeze"] = ShapeRules.Reshape,
        ["Unsqueeze"] = ShapeRules.Reshape,
        ["Transpose"] = ShapeRules.Transpose,
        ["Concat"] = ShapeRules.Concat,
        ["Split"] = ShapeRules.Split,
        ["Slice"] = ShapeRules.Slice,
        ["Expand"] = ShapeRules.Expand,
        ["Tile"] = ShapeRules.Tile,
        ["Gather"] = ShapeRules.Gather,
        ["Pad"] = ShapeRules.Pad,
        ["DepthToSpace"] = ShapeRules.DepthToSpace,
        ["Resize"] = ShapeRules.Resize,
        ["Upsample"] = ShapeRules.Resize,

        ["ReduceSum"] = ReduceRules.Reduce((x, axes) => x.Sum(axes, keepDims: true)),
        ["ReduceMean"] = ReduceRules.Reduce((x, axes) => x.Mean(axes, keepDims: true)),
        ["ReduceMax"] = ReduceRules.Reduce((x, axes) => x.Max(axes, keepDims: true)),
        ["ReduceMin"] = ReduceRules.Reduce((x, axes) => x.Min(axes, keepDims: true)),
        ["ReduceProd"] = ReduceRules.Reduce((x, axes) => x.Prod(axes, keepDims: true)),
        ["ReduceL1"] = ReduceRules.Reduce((x, axes) => x.Abs().Sum(axes, keepDims: true)),
        ["ReduceL2"] = ReduceRules.Reduce((x, axes) => x.Square().Sum(axes, keepDims: true).Sqrt()),
        ["ReduceSumSquare"] = ReduceRules.Reduce((x, axes) => x.Square().Sum(axes, keepDims: true)),
        ["ReduceLogSumExp"] = ReduceRules.Reduce((x, axes) => x.LogSumExp(axes, keepDims: true)),
        ["ArgMax"] = ReduceRules.Arg((x, axis) => x.ArgMax(axis, keepDims: true)),
        ["ArgMin"] = ReduceRules.Arg((x, axis) => x.ArgMin(axis, keepDims: true)),
        ["Softmax"] = ReduceRules.Softmax((x, axis) => x.Softmax(axis)),
        ["LogSoftmax"] = ReduceRules.Softmax((x, axis) => x.LogSoftmax(axis)),
        ["GlobalAveragePool"] = ReduceRules.Global((x, axes) => x.Mean(axes, keepDims: true)),
        ["GlobalMaxPool"] = ReduceRules.Global((x, axes) => x.Max(axes, keepDims: true)),

        ["Conv"] = WindowRules.Conv,
        ["ConvTranspose"] = WindowRules.ConvTranspose,
        ["MaxPool"] = WindowRules.MaxPool,
        ["AveragePool"] = WindowRules.AveragePool,
        ["LRN"] = WindowRules.LocalResponse,
        ["BatchNormalization"] = NormalizationRules.Batch,
        ["LayerNormalization"] = NormalizationRules.Layer,
        ["InstanceNormalization"] = NormalizationRules.Instance,
        ["GroupNormalization"] = NormalizationRules.Group,
        ["RMSNormalization"] = NormalizationRules.Rms,
        ["Gemm"] = ProductRules.Gemm,
        ["MatMul"] = ProductRules.MatMul,
        ["LSTM"] = RecurrenceRules.Lstm,
        ["GRU"] = RecurrenceRules.Gru,
    };

    /// <summary>How an operator is recorded; null where the engine does not have it.</summary>
    public static TraceRule? Find(string name) => Table.GetValueOrDefault(name);

    /// <summary>The operators of the table.</summary>
    public static IEnumerable<string> Names => Table.Keys;

    private static TraceRule Unary(Func<Value, Value> function) => Unary((x, _) => function(x));

    private static TraceRule Unary(Func<Value, HostCall, Value> function) => call =>
        call.FloatInput(0) is { } x ? TraceCall.One(x.Like(function(x.Either, call.Host), x.Type)) : null;
}
