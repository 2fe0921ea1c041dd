namespace FastNN.Tensors;

/// <summary>
/// The elements of a constant, or how they are made: the weights of a mapped file are written straight to where kernels read
/// them, whenever that is, and no copy of them waits in between. Told apart by reference.
/// </summary>
internal abstract class ConstantData
{
    /// <summary>How many bytes there are.</summary>
    public abstract int Length { get; }

    /// <summary>In how many parts they can be written, each by itself; at least 1.</summary>
    public virtual int Parts => 1;

    /// <summary>What they are made of, which tells constants apart sooner than the bytes themselves.</summary>
    public abstract ReadOnlySpan<byte> Origin { get; }

    /// <summary>Whether another constant with the same <see cref="Origin"/> is made of it in the same way.</summary>
    public abstract bool IsMadeLike(ConstantData other);

    /// <summary>Writes one part.</summary>
    /// <param name="target">All bytes, of which the part's own are written.</param>
    /// <param name="part">Which part, of <see cref="Parts"/>.</param>
    public abstract void Write(Span<byte> target, int part);

    /// <summary>Writes all parts.</summary>
    public void Write(Span<byte> target)
    {
        for (int part = 0; part < Parts; part++)
        {
            Write(target, part);
        }
    }

    /// <summary>The bytes; a copy, unless they are kept as they are.</summary>
    public virtual ReadOnlySpan<byte> Bytes
    {
        get
        {
            var bytes = new byte[Length];
            Write(bytes);
            return bytes;
        }
    }
}

/// <summary>Bytes that are there.</summary>
internal sealed class ConstantBytes(byte[] bytes) : ConstantData
{
    public override int Length => bytes.Length;

    public override ReadOnlySpan<byte> Origin => bytes;

    public override ReadOnlySpan<byte> Bytes => bytes;

    public override bool IsMadeLike(ConstantData other) => other is ConstantBytes;

    public override void Write(Span<byte> target, int part) => bytes.CopyTo(target);
}
