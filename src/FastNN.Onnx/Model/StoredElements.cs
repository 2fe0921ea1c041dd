using FastNN.Onnx.Wire;

namespace FastNN.Onnx.Model;

/// <summary>
/// Elements of whole bytes that stand in a file: read where they are while that is enough, and copied into an array once someone
/// asks for one. The file stays open meanwhile.
/// </summary>
internal sealed class StoredElements(OnnxElementType type, int count, ByteRange range)
{
    private Array? _array;

    public int Count => count;

    public ReadOnlySpan<byte> Bytes => range.Content.Slice(range.Offset, (int)range.Length);

    // Two callers at once may both copy them; one of the equal results stays.
    public Array Array
    {
        get
        {
            if (Volatile.Read(ref _array) is { } array)
            {
                return array;
            }

            OnnxTensor copy = OnnxTensor.Zeros(type, [count]);
            Bytes.CopyTo(copy.Bytes());
            return Interlocked.CompareExchange(ref _array, copy.Data, null) ?? copy.Data;
        }
    }
}
