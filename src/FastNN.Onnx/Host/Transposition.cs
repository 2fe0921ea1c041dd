using System.Runtime.InteropServices;

namespace FastNN.Onnx.Host;

/// <summary>
/// Moves the axes of a tensor. Axes that stay beside each other are one; then either runs are copied, or a few places along the
/// target's last axis are written at a time while the source is read in its order: whole cache lines on both sides.
/// </summary>
internal static class Transposition
{
    private const int Block = 16;

    /// <summary>Writes a tensor whose axes are those of another in a different order.</summary>
    /// <param name="source">The other.</param>
    /// <param name="target">A tensor of the same type, with the extents in their new order.</param>
    /// <param name="strides">How far apart in the source, in elements, neighbors along each axis of the target are.</param>
    public static void Run(OnnxTensor source, OnnxTensor target, int[] strides)
    {
        if (target.Count == 0)
        {
            return;
        }

        (List<Axis> axes, Axis last) = Merge(target.Dims, strides);
        if (source.ElementType == OnnxElementType.String)
        {
            Run<string>(source.Array<string>(), target.Array<string>(), axes, last);
            return;
        }

        Span<byte> from = source.Bytes(), to = target.Bytes();
        switch (from.Length / source.Count)
        {
            case sizeof(byte):
                Run<byte>(from, to, axes, last);
                break;
            case sizeof(ushort):
                Run(MemoryMarshal.Cast<byte, ushort>(from), MemoryMarshal.Cast<byte, ushort>(to), axes, last);
                break;
            case sizeof(uint):
                Run(MemoryMarshal.Cast<byte, uint>(from), MemoryMarshal.Cast<byte, uint>(to), axes, last);
                break;
            default:
                Run(MemoryMarshal.Cast<byte, ulong>(from), MemoryMarshal.Cast<byte, ulong>(to), axes, last);
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

    private static void Run<T>(ReadOnlySpan<T> source, Span<T> target, List<Axis> axes, Axis last)
    {
        int block = last.From == 1 ? last.Extent : Block;
        for (int first = 0; first < last.Extent; first += block)
        {
            var part = last with { Extent = Math.Min(block, last.Extent - first) };
            Walk(source[(first * last.From)..], target[(first * last.To)..], CollectionsMarshal.AsSpan(axes), part);
        }
    }

    private static void Walk<T>(ReadOnlySpan<T> source, Span<T> target, ReadOnlySpan<Axis> axes, Axis last)
    {
        if (axes.IsEmpty)
        {
            Line(source, target, last);
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
