using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FastNN.Cpu;

namespace FastNN.Onnx.Host;

/// <summary>
/// Moves the axes of a tensor. Axes that stay beside each other are one; then either runs are copied, or a few places along the
/// target's last axis are written at a time while the source is read in its order: whole cache lines on both sides.
/// </summary>
internal sealed class Transposition
{
    private const int Block = 16;

    private readonly List<Axis> _axes;
    private readonly Axis _last;
    private readonly int _block;

    /// <param name="dims">The target's extents.</param>
    /// <param name="strides">How far apart in the source, in elements, neighbors along each axis of the target are.</param>
    public Transposition(int[] dims, int[] strides)
    {
        (_axes, _last) = Merge(dims, strides);
        _block = _last.From == 1 ? _last.Extent : Block;
        Parts = Array.IndexOf(dims, 0) >= 0 ? 0 : (_last.Extent + _block - 1) / _block;
    }

    /// <summary>How many parts there are, each to be run by itself.</summary>
    public int Parts { get; }

    /// <summary>Writes a tensor whose axes are those of another in a different order.</summary>
    /// <param name="source">The other.</param>
    /// <param name="target">A tensor of the same type, with the extents in their new order.</param>
    /// <param name="strides">How far apart in the source, in elements, neighbors along each axis of the target are.</param>
    public static void Run(OnnxTensor source, OnnxTensor target, int[] strides)
    {
        var transposition = new Transposition(target.Dims, strides);
        if (source.ElementType == OnnxElementType.String)
        {
            for (int part = 0; part < transposition.Parts; part++)
            {
                transposition.Run<string>(source.Array<string>(), target.Array<string>(), part);
            }

            return;
        }

        for (int part = 0; part < transposition.Parts; part++)
        {
            transposition.Run(source.Stored, target.Bytes(), target.Bytes().Length / target.Count, part);
        }
    }

    /// <summary>Moves the elements of one part.</summary>
    /// <param name="from">All of the source.</param>
    /// <param name="to">All of the target.</param>
    /// <param name="size">Bytes of an element: 1, 2, 4 or 8.</param>
    /// <param name="part">Which part.</param>
    public void Run(ReadOnlySpan<byte> from, Span<byte> to, int size, int part)
    {
        switch (size)
        {
            case sizeof(byte):
                Run<byte>(from, to, part);
                break;
            case sizeof(ushort):
                Run(MemoryMarshal.Cast<byte, ushort>(from), MemoryMarshal.Cast<byte, ushort>(to), part);
                break;
            case sizeof(uint):
                Run(MemoryMarshal.Cast<byte, uint>(from), MemoryMarshal.Cast<byte, uint>(to), part);
                break;
            default:
                Run(MemoryMarshal.Cast<byte, ulong>(from), MemoryMarshal.Cast<byte, ulong>(to), part);
                break;
        }
    }

    /// <summary>The target's last axis, and the others in the source's order.</summary>
    private static (List<Axis> Outer, Axis Last) Merge(int[] dims, int[] strides)
    {
        var axes = new List<Axis>();
        for (int i = dims.Length - 1, step = 1; i >= 0; step *= dims[i--])
        {
            if (axes.Count > 0 && strides[i] == axes[^1].Extent * axes[^1].From)
            {
                axes[^1] = axes[^1] with { Extent = axes[^1].Extent * dims[i] };
            }
            else if (dims[i] > 1)
            {
                axes.Add(new Axis(dims[i], strides[i], step));
            }
        }

        if (axes.Count == 0)
        {
            return ([], new Axis(1, 1, 1));
        }

        Axis last = axes[0];
        axes.RemoveAt(0);
        axes.Sort((a, b) => b.From.CompareTo(a.From));
        return (axes, last);
    }

    private void Run<T>(ReadOnlySpan<T> source, Span<T> target, int part)
    {
        int first = part * _block;
        var line = _last with { Extent = Math.Min(_block, _last.Extent - first) };
        Walk(source[(first * _last.From)..], target[(first * _last.To)..], CollectionsMarshal.AsSpan(_axes), line);
    }

    private static void Walk<T>(ReadOnlySpan<T> source, Span<T> target, ReadOnlySpan<Axis> axes, Axis last)
    {
        if (axes.IsEmpty)
        {
            Line(source, target, last);
            return;
        }

        if (axes.Length == 1 && typeof(T) == typeof(uint) && axes[0].From == 1 && last.From != 1 && Lanes128.IsSupported)
        {
            // The slices hold what is read and written against the ends.
            Axis run = axes[0];
            source = source[..(((last.Extent - 1) * last.From) + run.Extent)];
            target = target[..(((run.Extent - 1) * run.To) + last.Extent)];
            Squares(
                ref Unsafe.As<T, float>(ref MemoryMarshal.GetReference(source)),
                ref Unsafe.As<T, float>(ref MemoryMarshal.GetReference(target)), run, last);
            return;
        }

        for (int i = 0; i < axes[0].Extent; i++)
        {
            ReadOnlySpan<T> from = source[(i * axes[0].From)..];
            Span<T> to = target[(i * axes[0].To)..];
            if (axes.Length == 1)
            {
                Line(from, to, last);
            }
            else
            {
                Walk(from, to, axes[1..], last);
            }
        }
    }

    /// <summary>
    /// Words whose neighbors in the source are apart in the target, and the other way round: squares of four by four, which are
    /// turned in registers.
    /// </summary>
    /// <param name="source">The first word of both axes.</param>
    /// <param name="target">Its place.</param>
    /// <param name="run">Neighbors in the source.</param>
    /// <param name="last">Neighbors in the target.</param>
    private static void Squares(ref float source, ref float target, Axis run, Axis last)
    {
        nint from = last.From, to = run.To;
        int columns = run.Extent & ~3, rows = last.Extent & ~3;
        for (int k = 0; k < columns; k += 4)
        {
            for (int j = 0; j < rows; j += 4)
            {
                ref float s = ref Unsafe.Add(ref source, (j * from) + k);
                ref float t = ref Unsafe.Add(ref target, (k * to) + j);
                Lanes128 r0 = Load(ref s), r1 = Load(ref Unsafe.Add(ref s, from));
                Lanes128 r2 = Load(ref Unsafe.Add(ref s, 2 * from)), r3 = Load(ref Unsafe.Add(ref s, 3 * from));
                Lanes128 low01 = Lanes128.ZipLow(r0, r1), high01 = Lanes128.ZipHigh(r0, r1);
                Lanes128 low23 = Lanes128.ZipLow(r2, r3), high23 = Lanes128.ZipHigh(r2, r3);
                Store(Lanes128.ZipLowPairs(low01, low23), ref t);
                Store(Lanes128.ZipHighPairs(low01, low23), ref Unsafe.Add(ref t, to));
                Store(Lanes128.ZipLowPairs(high01, high23), ref Unsafe.Add(ref t, 2 * to));
                Store(Lanes128.ZipHighPairs(high01, high23), ref Unsafe.Add(ref t, 3 * to));
            }
        }

        for (int k = 0; k < run.Extent; k++)
        {
            for (int j = k < columns ? rows : 0; j < last.Extent; j++)
            {
                Unsafe.Add(ref target, (k * to) + j) = Unsafe.Add(ref source, (j * from) + k);
            }
        }
    }

    private static Lanes128 Load(ref float source) => new(Vector128.LoadUnsafe(ref source));

    private static void Store(Lanes128 lanes, ref float target) =>
        Unsafe.BitCast<Lanes128, Vector128<float>>(lanes).StoreUnsafe(ref target);

    private static void Line<T>(ReadOnlySpan<T> source, Span<T> target, Axis last)
    {
        if (last.From == 1)
        {
            source[..last.Extent].CopyTo(target);
            return;
        }

        target = target[..last.Extent];
        for (int i = 0, at = 0; i < target.Length; i++, at += last.From)
        {
            target[i] = source[at];
        }
    }

    /// <param name="Extent">How many places there are.</param>
    /// <param name="From">From one to the next in the source.</param>
    /// <param name="To">From one to the next in the target.</param>
    private readonly record struct Axis(int Extent, int From, int To);
}
