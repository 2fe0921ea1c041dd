using FastNN.Functions;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Functions of one number, as operators of ONNX or as several of them.</summary>
internal static class FunctionExports
{
    private delegate string Function(Emitter emit, string x, Scalars s);

    private static readonly Dictionary<string, Function> Table = new(StringComparer.Ordinal)
    {
        ["ReLU"] = Named("Relu"),
        ["LeakyReLU"] = (e, x, s) => e.Add("LeakyRelu", [x], Attribute("alpha", s[0])),
        ["Sigmoid"] = Named("Sigmoid"),
        ["Tanh"] = Named("Tanh"),
        ["Gelu"] = (e, x, _) => Gelu(e, x),
        ["GeluTanh"] = (e, x, _) => GeluTanh(e, x),
        ["Exp"] = Named("Exp"),
        ["Log"] = Named("Log"),

        // exp(x) - 1 = 2 exp(x / 2) sinh(x / 2), which loses nothing near 0.
        ["Expm1"] = (e, x, _) => e.Op("Mul", e.Op("Mul", Half(e, x, "Exp"), Half(e, x, "Sinh")), e.Number(2)),
        ["Log1p"] = (e, x, _) => e.Op("Log", e.Op("Add", x, e.Number(1))),
        ["Sqrt"] = Named("Sqrt"),
        ["Rsqrt"] = (e, x, _) => e.Op("Reciprocal", e.Op("Sqrt", x)),
        ["Square"] = (e, x, _) => e.Op("Mul", x, x),
        ["Reciprocal"] = Named("Reciprocal"),
        ["Abs"] = Named("Abs"),
        ["Negate"] = Named("Neg"),
        ["Sign"] = Named("Sign"),
        ["Sin"] = Named("Sin"),
        ["Cos"] = Named("Cos"),
        ["Elu"] = (e, x, s) => e.Add("Elu", [x], Attribute("alpha", s[0])),
        ["Celu"] = (e, x, s) => e.Add("Celu", [x], Attribute("alpha", s[0])),
        ["Selu"] = Named("Selu"),
        ["Softplus"] = Softplus,
        ["Softsign"] = Named("Softsign"),
        ["LogSigmoid"] = (e, x, _) => e.Op("Neg", e.Op("Softplus", e.Op("Neg", x))),
        ["SiLU"] = (e, x, _) => e.Op("Mul", x, e.Op("Sigmoid", x)),
        ["Mish"] = (e, x, _) => e.Opset >= 18 ? e.Op("Mish", x) : e.Op("Mul", x, e.Op("Tanh", e.Op("Softplus", x))),
        ["ReLU6"] = (e, x, _) => Clip(e, x, 0, 6),
        ["HardTanh"] = (e, x, s) => Clip(e, x, s[0], s[1]),
        ["HardSigmoid"] = (e, x, s) => e.Add("HardSigmoid", [x], Attribute("alpha", s[0]), Attribute("beta", s[1])),
        ["HardSwish"] = Named("HardSwish"),
        ["Clamp"] = (e, x, s) => Clip(e, x, s[0], s[1]),
        ["Round"] = Named("Round"),
        ["Floor"] = Named("Floor"),
        ["Ceiling"] = Named("Ceil"),
        ["Log2"] = (e, x, _) => e.Op("Mul", e.Op("Log", x), e.Number(1 / Math.Log(2))),
        ["Log10"] = (e, x, _) => e.Op("Mul", e.Op("Log", x), e.Number(1 / Math.Log(10))),
        ["Sinh"] = Named("Sinh"),
        ["Cosh"] = Named("Cosh"),
        ["Tan"] = Named("Tan"),
        ["Atan"] = Named("Atan"),
        ["Erf"] = Named("Erf"),
        ["Threshold"] = Threshold,
        ["Asin"] = Named("Asin"),
        ["Acos"] = Named("Acos"),
        ["Asinh"] = Named("Asinh"),
        ["Acosh"] = Named("Acosh"),
        ["Atanh"] = Named("Atanh"),
        ["Softshrink"] = (e, x, s) => e.Add("Shrink", [x], Attribute("lambd", s[0]), Attribute("bias", s[0])),
        ["Hardshrink"] = (e, x, s) => e.Add("Shrink", [x], Attribute("lambd", s[0]), Attribute("bias", 0f)),
        ["Tanhshrink"] = (e, x, _) => e.Op("Sub", x, e.Op("Tanh", x)),
    };

    /// <summary>The functions that can be written.</summary>
    public static IEnumerable<string> Names => Table.Keys;

    /// <summary>Writes an activation; that of nothing is its argument.</summary>
    public static string Write(Emitter emit, Activation activation, string x) => activation.IsNone
        ? x
        : Table[activation.Function.Info.Name](emit, x, activation.Scalars);

    /// <summary>x times the Gaussian distribution function of x.</summary>
    public static string Gelu(Emitter e, string x) => e.Opset >= 20
        ? e.Op("Gelu", x)
        : e.Op("Mul", e.Op("Mul", x, e.Number(0.5)),
            e.Op("Add", e.Op("Erf", e.Op("Div", x, e.Number(Math.Sqrt(2)))), e.Number(1)));

    private static string GeluTanh(Emitter e, string x)
    {
        if (e.Opset >= 20)
        {
            return e.Add("Gelu", [x], Attribute("approximate", "tanh"));
        }

        string cube = e.Op("Mul", e.Op("Mul", x, x), x);
        string inner = e.Op("Mul", e.Op("Add", x, e.Op("Mul", cube, e.Number(0.044715))), e.Number(Math.Sqrt(2 / Math.PI)));
        return e.Op("Mul", e.Op("Mul", x, e.Number(0.5)), e.Op("Add", e.Op("Tanh", inner), e.Number(1)));
    }

    private static string Softplus(Emitter e, string x, Scalars s)
    {
        (float beta, float threshold) = (s[0], s[1]);
        string steep = beta == 1 ? x : e.Op("Mul", x, e.Number(beta));
        string soft = e.Op("Softplus", steep);
        soft = beta == 1 ? soft : e.Op("Div", soft, e.Number(beta));

        // Beyond 20 the function is x to the last bit.
        return threshold >= 20 ? soft : e.Op("Where", e.Op("Greater", steep, e.Number(threshold)), x, soft);
    }

    private static string Threshold(Emitter e, string x, Scalars s) => s[1] == 0
        ? e.Add("ThresholdedRelu", [x], Attribute("alpha", s[0]))
        : e.Op("Where", e.Op("Greater", x, e.Number(s[0])), x, e.Number(s[1]));

    private static string Clip(Emitter e, string x, float low, float high) => e.Op(
        "Clip", x, float.IsNegativeInfinity(low) ? "" : e.Number(low), float.IsPositiveInfinity(high) ? "" : e.Number(high));

    private static string Half(Emitter e, string x, string name) => e.Op(name, e.Op("Mul", x, e.Number(0.5)));

    private static Function Named(string name) => (e, x, _) => e.Op(name, x);
}
