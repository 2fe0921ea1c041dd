using System.Numerics;
using System.Numerics.Tensors;
using Tensor = FastNN.Tensors.Tensor;

namespace FastNN.Cpu;

/// <summary>Conversions between element types, by the base library's vectorized loops where it has them.</summary>
internal sealed unsafe partial class CpuElements
{
    public void Cast(Tensor x, Tensor y, bool accumulate) => BlockLoop.Run(Pool, x.Count, new CastBlocks(x, y, accumulate));

    private readonly struct CastBlocks(Tensor x, Tensor y, bool accumulate) : IBlockBody
    {
        /// <summary>Floats on their way to a bfloat16, or to be added, at a time.</summary>
        private const int Some = 1024;

        public void Invoke(nint start, nint end)
        {
            if (!accumulate && x.Type != DType.BFloat16 && y.Type != DType.BFloat16)
            {
                Convert(x.Type, (byte*)x.Address, start, y.Type, (byte*)y.Address, start, (int)(end - start));
                return;
            }

            // A float32 holds what narrower types hold, and is what sums are computed in.
            float* given = stackalloc float[Some];
            float* before = stackalloc float[Some];
            for (nint i = start; i < end; i += Some)
            {
                int count = (int)Math.Min(Some, end - i);
                ReadFloats(x, i, given, count);
                if (accumulate)
                {
                    ReadFloats(y, i, before, count);
                    TensorPrimitives.Add(
                        new ReadOnlySpan<float>(before, count), new ReadOnlySpan<float>(given, count),
                        new Span<float>(given, count));
                }

                if (y.Type == DType.BFloat16)
                {
                    ushort* to = (ushort*)y.Address + i;
                    for (int k = 0; k < count; k++)
                    {
                        to[k] = Narrow(given[k]);
                    }
                }
                else
                {
                    Convert(DType.Float32, (byte*)given, 0, y.Type, (byte*)y.Address, i, count);
                }
            }
        }

        private static void ReadFloats(Tensor x, nint start, float* floats, int count)
        {
            if (x.Type == DType.BFloat16)
            {
                ushort* from = (ushort*)x.Address + start;
                for (int k = 0; k < count; k++)
                {
                    floats[k] = BitConverter.UInt32BitsToSingle((uint)from[k] << 16);
                }
            }
            else
            {
                Convert(x.Type, (byte*)x.Address, start, DType.Float32, (byte*)floats, 0, count);
            }
        }

        /// <summary>The upper half, rounded to nearest, ties to even; NaN keeps a set bit.</summary>
        private static ushort Narrow(float value)
        {
            uint bits = BitConverter.SingleToUInt32Bits(value);
            return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }

        private static void Convert(DType source, byte* from, nint fromStart, DType target, byte* to, nint toStart, int count)
        {
            switch (source)
            {
                case DType.Float32:
                    From(new ReadOnlySpan<float>((float*)from + fromStart, count), target, to, toStart);
                    break;
                case DType.Float16:
                    From(new ReadOnlySpan<Half>((Half*)from + fromStart, count), target, to, toStart);
                    break;
                case DType.Float64:
                    From(new ReadOnlySpan<double>((double*)from + fromStart, count), target, to, toStart);
                    break;
                case DType.Int8:
                    From(new ReadOnlySpan<sbyte>((sbyte*)from + fromStart, count), target, to, toStart);
                    break;
                case DType.UInt8 or DType.Bool:
                    From(new ReadOnlySpan<byte>(from + fromStart, count), target, to, toStart);
                    break;
                case DType.Int32:
                    From(new ReadOnlySpan<int>((int*)from + fromStart, count), target, to, toStart);
                    break;
                case DType.Int64:
                    From(new ReadOnlySpan<long>((long*)from + fromStart, count), target, to, toStart);
                    break;
                default:
                    throw new NotSupportedException($"Cast: expected a type with conversions, got {source}.");
            }
        }

        private static void From<TFrom>(ReadOnlySpan<TFrom> x, DType target, byte* to, nint start)
            where TFrom : unmanaged, INumber<TFrom>
        {
            switch (target)
            {
                case DType.Float32:
                    TensorPrimitives.ConvertTruncating(x, new Span<float>((float*)to + start, x.Length));
                    break;
                case DType.Float16:
                    TensorPrimitives.ConvertTruncating(x, new Span<Half>((Half*)to + start, x.Length));
                    break;
                case DType.Float64:
                    TensorPrimitives.ConvertTruncating(x, new Span<double>((double*)to + start, x.Length));
                    break;
                case DType.Int8:
                    ToInteger(x, new Span<sbyte>((sbyte*)to + start, x.Length));
                    break;
                case DType.UInt8:
                    ToInteger(x, new Span<byte>(to + start, x.Length));
                    break;
                case DType.Int32:
                    ToInteger(x, new Span<int>((int*)to + start, x.Length));
                    break;
                case DType.Int64:
                    ToInteger(x, new Span<long>((long*)to + start, x.Length));
                    break;
                case DType.Bool:
                    for (int i = 0; i < x.Length; i++)
                    {
                        to[start + i] = x[i] != TFrom.Zero ? (byte)1 : (byte)0;
                    }

                    break;
                default:
                    throw new NotSupportedException($"Cast: expected a type with conversions, got {target}.");
            }
        }

        private static void ToInteger<TFrom, TTo>(ReadOnlySpan<TFrom> x, Span<TTo> y)
            where TFrom : unmanaged, INumber<TFrom>
            where TTo : unmanaged, INumber<TTo>
        {
            if (typeof(TFrom) == typeof(float) || typeof(TFrom) == typeof(double) || typeof(TFrom) == typeof(Half))
            {
                TensorPrimitives.ConvertSaturating(x, y);
            }
            else
            {
                TensorPrimitives.ConvertTruncating(x, y);
            }
        }
    }
}
