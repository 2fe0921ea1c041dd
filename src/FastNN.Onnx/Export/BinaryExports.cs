using FastNN.Ops;
using static FastNN.Onnx.Export.Emitter;

namespace FastNN.Onnx.Export;

/// <summary>Functions of two numbers, as operators of ONNX or as several of them.</summary>
internal static class BinaryExports
{
    private delegate string Function(Emitter emit, string a, string b, OnnxElementType type);

    private static readonly Dictionary<string, Function> Table = new(StringComparer.Ordinal)
    {
        ["Add"] = Named("Add"),
        ["Subtract"] = Named("Sub"),
        ["Multiply"] = Named("Mul"),
        ["Divide"] = Named("Div"),
        ["Pow"] = Named("Pow"),
        ["Minimum"] = Named("Min"),
        ["Maximum"] = Named("Max"),
        ["Equal"] = Named("Equal"),
        ["NotEqual"] = (e, a, b, _) => e.Op("Not", e.Op("Equal", a, b)),
        ["Less"] = Named("Less"),
        ["LessOrEqual"] = Named("LessOrEqual"),
        ["Greater"] = Named("Greater"),
        ["GreaterOrEqual"] = Named("GreaterOrEqual"),
        ["And"] = Named("And"),
        ["Or"] = Named("Or"),
        ["Xor"] = Named("Xor"),
        ["Fmod"] = (e, a, b, _) => e.Add("Mod", [a, b], Attribute("fmod", 1)),
        ["Remainder"] = Remainder,
        ["Atan2"] = (e, a, b, _) => Atan2(e, a, b),
        ["Hypot"] = (e, a, b, _) => e.Op("Sqrt", e.Op("Add", e.Op("Mul", a, a), e.Op("Mul", b, b))),
        ["BitwiseAnd"] = Bits("BitwiseAnd", "And"),
        ["BitwiseOr"] = Bits("BitwiseOr", "Or"),
        ["BitwiseXor"] = Bits("BitwiseXor", "Xor"),
        ["PReLU"] = (e, a, b, _) => e.Op("Where", e.Op("Greater", a, e.Number(0)), a, e.Op("Mul", a, b)),
        ["SigmoidGate"] = (e, a, b, _) => e.Op("Mul", a, e.Op("Sigmoid", b)),
        ["SiLUGate"] = (e, a, b, _) => e.Op("Mul", a, e.Op("Mul", b, e.Op("Sigmoid", b))),
        ["GeluGate"] = (e, a, b, _) => e.Op("Mul", a, FunctionExports.Gelu(e, b)),
        ["ReLUGate"] = (e, a, b, _) => e.Op("Mul", a, e.Op("Relu", b)),
    };

    /// <summary>Functions that are not written, with the reason.</summary>
    public static readonly IReadOnlyDictionary<string, string> Reasons = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ShiftLeft"] = "ONNX shifts unsigned integers alone",
        ["ShiftRight"] = "ONNX shifts unsigned integers alone",
    };

    /// <summary>The functions that can be written.</summary>
    public static IEnumerable<string> Names => Table.Keys;

    public static void Write(ExportCall call)
    {
        var op = (BinaryOp)call.Op;
        string name = op.Function.Info.Name;
        OnnxElementType type = call.X.Element;
        if (!Table.TryGetValue(name, out Function? function))
        {
            throw call.Refuse(Reasons.GetValueOrDefault(name) ?? "no rule writes it");
        }

        if (call.Opset < 18 && name.StartsWith("Bitwise", StringComparison.Ordinal) && type != OnnxElementType.Bool)
        {
            throw call.Refuse("ONNX has it from opset 18 on");
        }

        if (op.NumberBits is { } bits)
        {
            string number = call.Emit.Number(BitConverter.Int32BitsToSingle(bits), type);
            call.Keep(x => op.NumberFirst ? function(call.Emit, number, x, type) : function(call.Emit, x, number, type));
        }
        else
        {
            call.Together(x => function(call.Emit, x[0], x[1], type));
        }
    }

    /// <summary>Of truth values runtimes have no Where.</summary>
    public static void Where(ExportCall call) => call.Together(x => call.Type().Type == DType.Bool
        ? call.Emit.Op(
            "Or", call.Emit.Op("And", x[0], x[1]), call.Emit.Op("And", call.Emit.Op("Not", x[0]), x[2]))
        : call.Emit.Op("Where", x[0], x[1], x[2]));

    private static string Remainder(Emitter e, string a, string b, OnnxElementType type) => type == OnnxElementType.Float32
        ? e.Op("Sub", a, e.Op("Mul", b, e.Op("Floor", e.Op("Div", a, b))))
        : e.Op("Mod", a, b);

    private static string Atan2(Emitter e, string y, string x)
    {
        string zero = e.Number(0), up = e.Number(Math.PI / 2), down = e.Number(-Math.PI / 2);
        string angle = e.Op("Atan", e.Op("Div", y, x));
        string turned = e.Op("Add", angle,
            e.Op("Where", e.Op("GreaterOrEqual", y, zero), e.Number(Math.PI), e.Number(-Math.PI)));
        string vertical = e.Op(
            "Where", e.Op("Greater", y, zero), up, e.Op("Where", e.Op("Less", y, zero), down, zero));
        return e.Op("Where", e.Op("Greater", x, zero), angle, e.Op("Where", e.Op("Less", x, zero), turned, vertical));
    }

    private static Function Bits(string integers, string truths) =>
        (e, a, b, type) => e.Op(type == OnnxElementType.Bool ? truths : integers, a, b);

    private static Function Named(string name) => (e, a, b, _) => e.Op(name, a, b);
}
