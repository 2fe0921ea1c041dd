namespace FastNN.Formats;

/// <summary>One tensor of a safetensors file: what its header says of it.</summary>
public sealed class SafetensorsTensor
{
    private readonly int[] _shape;

    internal SafetensorsTensor(string name, SafetensorsType type, int[] shape, long offset, long byteLength)
    {
        Name = name;
        Type = type;
        _shape = shape;
        Offset = offset;
        ByteLength = byteLength;
    }

    /// <summary>The name, such as <c>conv1.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The element type.</summary>
    public SafetensorsType Type { get; }

    /// <summary>The sizes, outermost first; empty for a scalar.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>The number of elements.</summary>
    public long Count => ByteLength / Type.Size();

    /// <summary>The first byte, counted from the start of the file.</summary>
    public long Offset { get; }

    /// <summary>The size in bytes.</summary>
    public long ByteLength { get; }

    /// <summary>Such as <c>conv1.weight F32[32, 1, 3, 3]</c>; a long name is cut.</summary>
    public override string ToString() => $"{Quote.Text(Name)} {Type.Name()}{Quote.Shape(_shape)}";
}
