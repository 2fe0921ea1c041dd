using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Filling and adding are kernels; a copy is the driver's.</summary>
internal abstract unsafe partial class CudaCore
{
    public void Fill(Tensor x, float value)
    {
        if (x.Count == 0)
        {
            return;
        }

        uint bits = x.Type switch
        {
            DType.Float32 => BitConverter.SingleToUInt32Bits(value),
            DType.Int32 => (uint)(int)value,
            DType.Int8 => (byte)(sbyte)value,
            DType.UInt8 or DType.Bool => (byte)value,
            _ => throw new NotSupportedException($"Fill: expected Float32, Int32 or a type of one byte, got {x}."),
        };
        string kernel = x.Type.Size() == 1 ? "memory_fill_bytes" : "memory_fill_words";
        Launch("memory", kernel, Grid.ForElements(x.Count), new FillArguments(x.Address, x.Count, bits));
    }

    /// <summary>Zeros in memory outside tensors.</summary>
    internal void Zero(nint address, long bytes) => Launch(
        "memory", "memory_fill_words", Grid.ForElements(bytes / sizeof(float)),
        new FillArguments(address, bytes / sizeof(float), 0));

    public void Copy(Tensor x, Tensor y, bool accumulate)
    {
        if (x.Count == 0)
        {
            return;
        }

        if (accumulate)
        {
            Launch("memory", "memory_add", Grid.ForElements(x.Count), new AddArguments(x.Address, y.Address, x.Count));
        }
        else
        {
            CopyDeviceToDevice(source: x.Address, destination: y.Address, bytes: x.Bytes);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FillArguments(nint X, long Count, uint Value);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct AddArguments(nint X, nint Y, long Count);
}
