namespace FastNN.Hosting;

/// <summary>An input or output of a call: extents, and bytes in an array from the pool.</summary>
/// <param name="buffers">Where the array comes from.</param>
internal sealed class CallTensor(BufferPool buffers)
{
    private int[] _dimensions = new int[4];
    private int _rank;

    /// <summary>The array; null before the first <see cref="Set"/>.</summary>
    public byte[]? Buffer { get; private set; }

    /// <summary>Bytes of the elements, from the array's beginning.</summary>
    public int Length { get; private set; }

    /// <summary>The extents.</summary>
    public ReadOnlySpan<int> Dimensions => _dimensions.AsSpan(0, _rank);

    /// <summary>The elements.</summary>
    public ReadOnlySpan<byte> Bytes => Buffer.AsSpan(0, Length);

    /// <summary>Takes on a shape; gives the memory for the elements, whose contents are arbitrary.</summary>
    public Span<byte> Set(ReadOnlySpan<int> dimensions, int bytes)
    {
        if (_dimensions.Length < dimensions.Length)
        {
            _dimensions = new int[dimensions.Length];
        }

        dimensions.CopyTo(_dimensions);
        _rank = dimensions.Length;
        if (Buffer is null || Buffer.Length < bytes)
        {
            Release();
            Buffer = buffers.Rent(bytes);
        }

        Length = bytes;
        return Buffer.AsSpan(0, bytes);
    }

    /// <summary>Gives the array back.</summary>
    public void Release()
    {
        buffers.Return(Buffer);
        (Buffer, Length) = (null, 0);
    }
}
