using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;

namespace FastNN.Onnx.Contrib;

/// <summary>Quantized operators: their inputs dequantized, the operator itself, its result quantized again.</summary>
internal static class ContribQuantization
{
    private static string Floats(FunctionBody body, int x, int scale, int zero, params ReadOnlySpan<AttributeDef> attributes) =>
        body.Add("DequantizeLinear", [body.In(x), body.In(scale), body.In(zero)], attributes);

    private static FunctionDef Quantized(FunctionBody body, string y, int scale, int zero) =>
        body.Returns(body.Add("QuantizeLinear", [y, body.In(scale), body.In(zero)]));

    public static FunctionDef Quantize(FunctionBody body) => body.Returns(body.Add(
        "QuantizeLinear", [body.In(0), body.In(1), body.In(2)], [.. Given(body, "axis", "block_size", "output_dtype", "saturate")]));

    public static FunctionDef Dequantize(FunctionBody body) => body.Returns(
        body.Add("DequantizeLinear", [body.In(0), body.In(1), body.In(2)], [.. Given(body, "axis", "block_size")]));

    private static AttributeDef[] Given(FunctionBody body, params string[] names) =>
        [.. names.Select(body.Attribute).OfType<AttributeDef>()];

    public static FunctionDef Binary(FunctionBody body, string name) =>
        Quantized(body, body.Add(name, [Floats(body, 0, 1, 2), Floats(body, 3, 4, 5)]), 6, 7);

    /// <summary>A function of one tensor; pictures with their channels last are not here.</summary>
    public static FunctionDef? Unary(FunctionBody body, string name, params string[] attributes) =>
        body.Int("channels_last", 0) != 0
            ? null
            : Quantized(body, body.Add(name, [Floats(body, 0, 1, 2)], Given(body, attributes)), 3, 4);

    public static FunctionDef Concat(FunctionBody body)
    {
        var parts = new List<string>();
        for (int i = 2; body.Has(i); i += 3)
        {
            parts.Add(Floats(body, i, i + 1, i + 2));
        }

        return Quantized(body, body.Add("Concat", [.. parts], InitializerDef.Int("axis", body.Int("axis", 0))), 0, 1);
    }

    public static FunctionDef Gemm(FunctionBody body)
    {
        bool turned = body.Int("transB", 0) != 0;
        string a = Floats(body, 0, 1, 2), b = Floats(body, 3, 4, 5, InitializerDef.Int("axis", turned ? 0 : 1));
        string c = body.Has(6)
            ? body.Add("Mul", [body.Cast(body.In(6), OnnxElementType.Float32), body.Add("Mul", [body.In(1), body.In(4)])])
            : "";
        string y = body.Add("Gemm", [a, b, c], Given(body, "alpha", "transA", "transB"));
        return body.Has(7) ? Quantized(body, y, 7, 8) : body.Returns(y);
    }

    public static FunctionDef DynamicMatMul(FunctionBody body)
    {
        string[] a = body.Add("DynamicQuantizeLinear", [body.In(0)], 3);
        return body.Returns(Product(body, a[0], body.In(1), a[1], body.In(2), a[2], body.In(3), body.In(4)));
    }

    public static FunctionDef MatMulToFloat(FunctionBody body) => body.Returns(
        Product(body, body.In(0), body.In(1), body.In(2), body.In(3), body.In(4), body.In(5), body.In(6)));

    private static string Product(
        FunctionBody body, string a, string b, string aScale, string bScale, string aZero, string bZero, string bias)
    {
        string sums = body.Cast(body.Add("MatMulInteger", [a, b, aZero, bZero]), OnnxElementType.Float32);
        return body.Sum(body.Add("Mul", [sums, body.Add("Mul", [aScale, bScale])]), bias);
    }

    /// <summary>
    /// Weights [N, blocks, bytes] of 4 or 8 bits with a scale for each block, 4 bits with the first in the low half.
    /// </summary>
    public static FunctionDef? MatMulNBits(FunctionBody body)
    {
        long k = body.Int("K", 0), n = body.Int("N", 0), bits = body.Int("bits", 4), block = body.Int("block_size", 32);
        if (bits is not (4 or 8) || k <= 0 || n <= 0 || block <= 0 || body.Has(4))
        {
            return null;
        }

        long blocks = (k + block - 1) / block;
        string whole = body.Longs(n, blocks, block), each = body.Longs(n, blocks, 1);
        string weights = body.Add("Reshape", [bits == 4 ? Halves(body, body.In(1)) : body.In(1), whole]);
        string zeros = body.Number(bits == 4 ? 8 : 128);
        if (body.Has(3))
        {
            // Rows of zero points are whole bytes.
            string rows = body.Add("Reshape", [body.In(3), body.Longs(n, -1)]);
            string spread = bits == 4 ? Halves(body, rows) : rows;
            zeros = body.Cast(
                body.Add("Reshape", [body.Add("Slice", [spread, body.Longs(0), body.Longs(blocks), body.Longs(1)]), each]),
                OnnxElementType.Float32);
        }

        string scales = body.Add("Reshape", [body.In(2), each]);
        string floats = body.Add("Mul", [body.Add("Sub", [body.Cast(weights, OnnxElementType.Float32), zeros]), scales]);
        string matrix = body.Add(
            "Slice", [body.Add("Reshape", [floats, body.Longs(n, blocks * block)]), body.Longs(0), body.Longs(k), body.Longs(1)]);
        string turned = body.Add("Transpose", [matrix], InitializerDef.Ints("perm", 1, 0));
        return body.Returns(body.Sum(body.Add("MatMul", [body.In(0), turned]), body.In(5)));
    }

    /// <summary>Bytes as two numbers each, along the last axis.</summary>
    private static string Halves(FunctionBody body, string bytes)
    {
        string low = body.Add("BitwiseAnd", [bytes, body.Constant(OnnxTensor.Create([(byte)15]))]);
        string high = body.Add(
            "BitShift", [bytes, body.Constant(OnnxTensor.Create([(byte)4]))], InitializerDef.Text("direction", "RIGHT"));
        string last = body.Longs(-1);
        string pairs = body.Add(
            "Concat", [body.Add("Unsqueeze", [low, last]), body.Add("Unsqueeze", [high, last])], InitializerDef.Int("axis", -1));
        string shape = body.Add(
            "Concat", [body.Add("Shape", [bytes], InitializerDef.Int("end", -1)), last], InitializerDef.Int("axis", 0));
        return body.Add("Reshape", [pairs, shape]);
    }
}
