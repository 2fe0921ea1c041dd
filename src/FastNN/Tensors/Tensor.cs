namespace FastNN.Tensors;

/// <summary>
/// A view of device memory: where it is, its type and its shape. It owns nothing; arenas do.
/// On the CPU the address is a pointer, on CUDA a device pointer, so only a device's own kernels may follow it.
/// </summary>
internal sealed class Tensor(nint address, DType type, Shape shape)
{
    public nint Address { get; } = address;

    public DType Type { get; } = type;

    public Shape Shape { get; } = shape;

    public int Count { get; } = checked((int)shape.Count);

    public long Bytes => (long)Count * Type.Size();

    public override string ToString() => $"{Type}{Shape}";
}
