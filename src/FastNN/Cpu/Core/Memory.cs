using System.Runtime.CompilerServices;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Filling and copying: 4 bytes written, or 8 moved, per element, at the speed of memory.</summary>
internal abstract unsafe partial class CpuCore
{
    public void Fill(Tensor x, float value)
    {
        switch (x.Type)
        {
            case DType.Float32:
                ElementLoop.Run(Pool, x.Count, new FillBody(Floats(x), value));
                break;
            case DType.Int32:
                new Span<int>((void*)x.Address, Tensor.Index(x.Count)).Fill((int)value);
                break;
            case DType.UInt8 or DType.Int8 or DType.Bool:
                new Span<byte>((void*)x.Address, Tensor.Index(x.Count)).Fill(
                    x.Type == DType.Int8 ? (byte)(sbyte)value : (byte)value);
                break;
            default:
                throw new NotSupportedException($"Fill: expected Float32, Int32 or a type of one byte, got {x}.");
        }
    }

    public void Copy(Tensor x, Tensor y, bool accumulate)
    {
        if (accumulate)
        {
            ElementLoop.Run(Pool, x.Count, new UnaryMap<Identity, Accumulate>(Floats(x), Floats(y), default));
        }
        else if (x.Bytes > sizeof(float) * ElementLoop.Serial && x.Type.Size() == sizeof(float))
        {
            ElementLoop.Run(Pool, x.Count, new UnaryMap<Identity, Assign>(Floats(x), Floats(y), default));
        }
        else
        {
            Buffer.MemoryCopy((void*)x.Address, (void*)y.Address, y.Bytes, x.Bytes);
        }
    }

    private readonly struct FillBody(float* x, float value) : IElementBody
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<TLanes>(nint i, int count)
            where TLanes : struct, IVectorLanes<TLanes> => TLanes.Broadcast(value).Store(x + i, count);
    }
}
