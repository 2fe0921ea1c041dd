using FastNN.Onnx.Model;
using FastNN.Onnx.Passes;

namespace FastNN.Onnx.Contrib;

/// <summary>Normalizations of rows with what stands before them.</summary>
internal static class ContribNormalizations
{
    private static string Normalized(FunctionBody body, string x, string scale, string shift, bool isSimplified, float epsilon)
    {
        AttributeDef[] attributes =
            [InitializerDef.Int("axis", body.Int("axis", -1)), InitializerDef.Float("epsilon", body.Float("epsilon", epsilon))];
        return isSimplified
            ? body.Add("RMSNormalization", [x, scale], attributes)
            : body.Add("LayerNormalization", [x, scale, shift], attributes);
    }

    public static FunctionDef Layer(FunctionBody body) =>
        body.Returns(Normalized(body, body.In(0), body.In(1), body.In(2), isSimplified: false, 1e-5f));

    public static FunctionDef Simplified(FunctionBody body) =>
        body.Returns(Normalized(body, body.In(0), body.In(1), "", isSimplified: true, 1e-5f));

    /// <summary>A sum and its normalization; the sum is the fourth output.</summary>
    public static FunctionDef Skip(FunctionBody body, bool isSimplified)
    {
        string sum = body.Sum(body.In(0), body.In(1));
        sum = body.Sum(sum, body.In(isSimplified ? 3 : 4));
        string y = Normalized(body, sum, body.In(2), isSimplified ? "" : body.In(3), isSimplified, 1e-12f);
        return body.Returns(y, "", "", sum);
    }

    /// <summary>Embeddings of words, places and segments, and their normalization.</summary>
    public static FunctionDef Embed(FunctionBody body)
    {
        string ids = body.In(0), places = body.In(8);
        if (places.Length == 0)
        {
            string length = body.Add("Squeeze", [body.Extent(ids, 1)]);
            places = body.Add("Range", [Scalar(body, 0), length, Scalar(body, 1)]);
        }

        string sum = body.Sum(body.Add("Gather", [body.In(2), ids]), body.Add("Gather", [body.In(3), places]));
        sum = body.Has(1) && body.Has(4) ? body.Sum(sum, body.Add("Gather", [body.In(4), body.In(1)])) : sum;
        string y = Normalized(body, sum, body.In(5), body.In(6), isSimplified: false, 1e-12f);
        string lengths = body.Has(7)
            ? body.Add("ReduceSum", [body.In(7), body.Longs(1)], InitializerDef.Int("keepdims", 0))
            : "";
        return body.Returns(y, lengths, sum);
    }

    private static string Scalar(FunctionBody body, long value) => body.Constant(OnnxTensor.Create([value]));
}
