using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;

namespace FastNN.Onnx.Contrib;

/// <summary>Activations, and products and convolutions with one behind them.</summary>
internal static class ContribElements
{
    private static readonly string[] Windows = ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"];
    private static readonly string[] Factors = ["alpha", "beta", "transA", "transB"];

    public static FunctionDef FastGelu(FunctionBody body) => body.Returns(
        body.Add("Gelu", [body.Sum(body.In(0), body.In(1))], InitializerDef.Text("approximate", "tanh")));

    public static FunctionDef QuickGelu(FunctionBody body) => body.Returns(
        body.Add("Swish", [body.In(0)], InitializerDef.Float("alpha", body.Float("alpha", 1.702f))));

    public static FunctionDef? FusedConv(FunctionBody body)
    {
        AttributeDef[] attributes = [.. Windows.Select(body.Attribute).OfType<AttributeDef>()];
        string y = body.Sum(body.Add("Conv", [body.In(0), body.In(1), body.In(2)], attributes), body.In(3));
        List<float> given = body.Attribute("activation_params")?.Floats ?? [];
        return Activated(body, y, body.Text("activation", ""), (at, otherwise) => at < given.Count ? given[at] : otherwise)
            is { } activated ? body.Returns(activated) : null;
    }

    public static FunctionDef? FusedGemm(FunctionBody body)
    {
        AttributeDef[] attributes = [.. Factors.Select(body.Attribute).OfType<AttributeDef>()];
        string y = body.Add("Gemm", [body.In(0), body.In(1), body.In(2)], attributes);
        string[] names = ["activation_alpha", "activation_beta"];
        return Activated(body, y, body.Text("activation", ""), (at, otherwise) => body.Float(names[at], otherwise))
            is { } activated
            ? body.Returns(activated)
            : null;
    }

    private static string? Activated(FunctionBody body, string x, string name, Func<int, float, float> parameter) => name switch
    {
        "" => x,
        "Relu" or "Sigmoid" or "Tanh" => body.Add(name, [x]),
        "LeakyRelu" => body.Add(name, [x], InitializerDef.Float("alpha", parameter(0, 0.01f))),
        "HardSigmoid" => body.Add(
            name, [x], InitializerDef.Float("alpha", parameter(0, 0.2f)), InitializerDef.Float("beta", parameter(1, 0.5f))),
        "Clip" => body.Add(
            name, [x, body.Number(parameter(0, float.MinValue)), body.Number(parameter(1, float.MaxValue))]),
        _ => null,
    };

    public static FunctionDef? FusedMatMul(FunctionBody body)
    {
        if (body.Int("transBatchA", 0) != 0 || body.Int("transBatchB", 0) != 0)
        {
            return null;
        }

        string a = body.Int("transA", 0) != 0 ? Turned(body, body.In(0)) : body.In(0);
        string b = body.Int("transB", 0) != 0 ? Turned(body, body.In(1)) : body.In(1);
        string y = body.Add("MatMul", [a, b]);
        float alpha = body.Float("alpha", 1);
        return body.Returns(alpha == 1 ? y : body.Add("Mul", [y, body.Number(alpha)]));
    }

    /// <summary>The last two axes exchanged, whatever stands before them.</summary>
    public static string Turned(FunctionBody body, string x)
    {
        string rows = body.Add("Shape", [x], InitializerDef.Int("start", -2), InitializerDef.Int("end", -1));
        string columns = body.Extent(x, -1), before = body.Add("Shape", [x], InitializerDef.Int("end", -2));
        string flat = body.Add("Reshape", [x, body.Add("Concat", [body.Longs(-1), rows, columns],
            InitializerDef.Int("axis", 0))]);
        string turned = body.Add("Transpose", [flat], InitializerDef.Ints("perm", 0, 2, 1));
        return body.Add("Reshape", [turned, body.Add("Concat", [before, columns, rows], InitializerDef.Int("axis", 0))]);
    }
}
