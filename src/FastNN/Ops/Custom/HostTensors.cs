using System.Buffers;
using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <summary>
/// Tensors as spans of host memory for the time of one pass: where they lie, on the CPU; copies in rented arrays, on a GPU.
/// </summary>
internal readonly struct HostTensors(ICustomKernels kernels, HostTensors.Copy[]? copies)
{
    /// <summary>The tensors of a pass, copied to the host where they are not there.</summary>
    public static HostTensors Begin(ICustomKernels kernels, IEnumerable<Tensor?> tensors)
    {
        if (kernels.TensorsAreOnHost)
        {
            return new HostTensors(kernels, null);
        }

        var copies = new List<Copy>();
        foreach (Tensor tensor in tensors.OfType<Tensor>())
        {
            byte[] bytes = ArrayPool<byte>.Shared.Rent(checked((int)Math.Max(tensor.Bytes, 1)));
            copies.Add(new Copy(tensor, bytes));
            kernels.Download(tensor, bytes.AsSpan(0, (int)tensor.Bytes));
        }

        return new HostTensors(kernels, [.. copies]);
    }

    /// <summary>The elements of a tensor.</summary>
    public unsafe Span<T> Span<T>(Tensor tensor)
        where T : unmanaged
    {
        if (sizeof(T) != tensor.Type.Size())
        {
            throw new ArgumentException(
                $"{tensor}: expected elements of {tensor.Type.Size()} bytes, got {typeof(T).Name} of {sizeof(T)}.");
        }

        if (copies is null)
        {
            return new Span<T>((void*)tensor.Address, checked((int)tensor.Count));
        }

        Copy copy = Array.Find(copies, copy => copy.Tensor == tensor);
        return MemoryMarshal.Cast<byte, T>(copy.Bytes.AsSpan(0, (int)tensor.Bytes));
    }

    /// <summary>Brings what was written back to the device, and gives the arrays back.</summary>
    public void End(IEnumerable<Tensor?> written)
    {
        if (copies is null)
        {
            return;
        }

        foreach (Tensor tensor in written.OfType<Tensor>())
        {
            kernels.Upload(Array.Find(copies, copy => copy.Tensor == tensor).Bytes.AsSpan(0, (int)tensor.Bytes), tensor);
        }

        foreach (Copy copy in copies)
        {
            ArrayPool<byte>.Shared.Return(copy.Bytes);
        }
    }

    internal readonly record struct Copy(Tensor Tensor, byte[] Bytes);
}
