namespace FastNN.Tensors;

/// <summary>
/// A view of device memory: where it is, its type and its shape. It owns nothing; arenas do.
/// On the CPU the address is a pointer, on CUDA a device pointer, so only a device's own kernels may follow it.
/// </summary>
internal sealed class Tensor(nint address, DType type, Shape shape)
{
    public Tensor(nint address, TensorType type)
        : this(address, type.Type, type.Shape)
    {
    }

    public nint Address { get; private set; } = address;

    public DType Type { get; } = type;

    public Shape Shape { get; } = shape;

    /// <summary>Where the values never change: what kernels have derived from them. Null for all others.</summary>
    public FrozenValues? Frozen { get; init; }

    public long Count { get; } = shape.Count;

    public long Bytes => Count * Type.Size();

    /// <summary>A number of elements or rows for kernels that index with 32 bits.</summary>
    /// <exception cref="ShapeException">It does not fit.</exception>
    public static int Index(long count) => count <= int.MaxValue
        ? (int)count
        : throw new ShapeException(
            $"Kernels: expected at most {int.MaxValue} rows or elements in one call, got {count}; use a smaller batch.");

    /// <summary>Lets it lie elsewhere: for inputs that are read where the caller has them.</summary>
    public void MoveTo(nint address) => Address = address;

    public override string ToString() => $"{Type}{Shape}";
}
