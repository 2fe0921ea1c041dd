using System.Buffers.Binary;

namespace FastNN.Hosting;

/// <summary>Examples to try a model with: real numbers in -1..1, and integers that are 0 or 1, which every table has.</summary>
internal static class RandomExamples
{
    /// <summary>Begins a call of one example.</summary>
    /// <param name="begin">Begins a call of the model.</param>
    /// <param name="engine">Its engine.</param>
    /// <param name="shapes">Extents of the inputs; the first becomes 1.</param>
    /// <param name="seed">Each has its own examples.</param>
    public static ServedCall Begin(Func<ServedCall> begin, IModelEngine engine, int[][] shapes, int seed)
    {
        var random = new Random(seed);
        ServedCall call = begin();
        try
        {
            for (int i = 0; i < shapes.Length; i++)
            {
                Fill(call.SetInput(i, [1, .. shapes[i].AsSpan(1)]), engine.Inputs[i].DataType, random);
            }

            return call;
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    private static void Fill(Span<byte> bytes, TensorDataType type, Random random)
    {
        int size = Protocol.TensorDataTypes.Size(type);
        for (int i = 0; i < bytes.Length; i += size)
        {
            Span<byte> element = bytes.Slice(i, size);
            float value = (random.NextSingle() * 2) - 1;
            switch (type)
            {
                case TensorDataType.Float16:
                    BinaryPrimitives.WriteHalfLittleEndian(element, (Half)value);
                    break;
                case TensorDataType.BFloat16:
                    // The upper half of a float of the same value.
                    BinaryPrimitives.WriteUInt16LittleEndian(element, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
                    break;
                case TensorDataType.Float32:
                    BinaryPrimitives.WriteSingleLittleEndian(element, value);
                    break;
                case TensorDataType.Float64:
                    BinaryPrimitives.WriteDoubleLittleEndian(element, value);
                    break;
                default:
                    element.Clear();
                    element[0] = value < 0 ? (byte)0 : (byte)1;
                    break;
            }
        }
    }
}
