using FastNN.Onnx.Compile;
using FastNN.Onnx.Export;
using FastNN.Onnx.Host;

namespace FastNN.Onnx.Tests.Export;

/// <summary>Values of the engine as a file has them, and the other way round.</summary>
internal static class Layouts
{
    /// <summary>A tensor of the engine's order as the file's input.</summary>
    public static OnnxTensor ToFile(ExportPort port, OnnxTensor tensor) => port.IsFirst
        ? Shapes.Transpose(tensor, Traced.ToFirst(tensor.Rank))
        : tensor;

    /// <summary>The file's output in the engine's order.</summary>
    public static OnnxTensor FromFile(ExportPort port, OnnxTensor tensor) => port.IsFirst
        ? Shapes.Transpose(tensor, Traced.ToLast(tensor.Rank))
        : tensor;

    /// <summary>Numbers as a tensor of a type of the engine.</summary>
    public static OnnxTensor Tensor(DType type, double[] values, int[] dims) => type switch
    {
        DType.Float32 => OnnxTensor.Create(Array.ConvertAll(values, value => (float)value), dims),
        DType.Int32 => OnnxTensor.Create(Array.ConvertAll(values, value => (int)value), dims),
        DType.Int64 => OnnxTensor.Create(Array.ConvertAll(values, value => (long)value), dims),
        DType.Bool => OnnxTensor.Create(Array.ConvertAll(values, value => value != 0), dims),
        DType.UInt8 => OnnxTensor.Create(Array.ConvertAll(values, value => (byte)value), dims),
        DType.Int8 => OnnxTensor.Create(Array.ConvertAll(values, value => (sbyte)value), dims),
        DType.Float64 => OnnxTensor.Create(values, dims),
        DType.Float16 => OnnxTensor.Create(Array.ConvertAll(values, value => (Half)value), dims),
        _ => throw new NotSupportedException($"{type}"),
    };

    /// <summary>A tensor's numbers.</summary>
    public static double[] Numbers(OnnxTensor tensor) => tensor.Data switch
    {
        float[] values => Array.ConvertAll(values, value => (double)value),
        double[] values => values,
        Half[] values => Array.ConvertAll(values, value => (double)value),
        int[] values => Array.ConvertAll(values, value => (double)value),
        long[] values => Array.ConvertAll(values, value => (double)value),
        bool[] values => Array.ConvertAll(values, value => value ? 1.0 : 0),
        byte[] values => Array.ConvertAll(values, value => (double)value),
        sbyte[] values => Array.ConvertAll(values, value => (double)value),
        _ => throw new NotSupportedException($"{tensor}"),
    };

    /// <summary>The largest difference, of each element as a share of 1 and its size; infinite where lengths differ or one of the
    /// two is not a number.</summary>
    public static double Distance(double[] got, double[] wanted)
    {
        double most = got.Length == wanted.Length ? 0 : double.PositiveInfinity;
        for (int i = 0; i < wanted.Length && i < got.Length; i++)
        {
            bool same = got[i] == wanted[i] || (double.IsNaN(got[i]) && double.IsNaN(wanted[i]));
            double distance = Math.Abs(got[i] - wanted[i]) / (1 + Math.Abs(wanted[i]));
            most = same ? most : double.IsNaN(distance) ? double.PositiveInfinity : Math.Max(most, distance);
        }

        return most;
    }
}
