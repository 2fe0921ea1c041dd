using System.Numerics;
using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>
/// Strided copies: by elements as wide as both sides allow, by tiles where source and destination run along different axes, and
/// by what is repeated.
/// </summary>
internal sealed unsafe partial class CudaIndexing
{
    private const int RearrangeThreads = 256, RearrangeTileBits = 10, RepeatsPerThread = 16;

    public void Rearrange(Tensor from, Tensor to, StridedCopy copy, bool accumulate)
    {
        StridedAxes axes = copy.Axes;
        int count = Tensor.Index(axes.Count);
        if (count == 0)
        {
            return;
        }

        int size = to.Type.Size(), inner = axes.Rank - 1;
        nint source = from.Address + (nint)(copy.From * size), target = to.Address + (nint)(copy.To * size);
        int across = AcrossAxis(axes);
        if (across >= 0)
        {
            RearrangeTiles(axes, across, source, target, size, accumulate);
            return;
        }

        if (size == sizeof(float) && !accumulate && inner >= 0 && axes.First[inner] is 0 or 1 && Repeats(axes))
        {
            Repeat(axes, source, target);
            return;
        }

        int wide = inner >= 0 && axes.First[inner] == 1 && axes.Second[inner] == 1
            ? WidestAccess(axes, source | target, size, accumulate)
            : size;
        for (int factor = wide / size; factor > 1; factor = 1)
        {
            axes.Extents[inner] /= factor;
            count /= factor;
            for (int axis = 0; axis < inner; axis++)
            {
                axes.First[axis] /= factor;
                axes.Second[axis] /= factor;
            }
        }

        string kernel = (wide, accumulate) switch
        {
            (1, _) => "rearrange_1",
            (2, _) => "rearrange_2",
            (4, false) => "rearrange_4",
            (4, true) => "rearrange_add_4",
            (8, _) => "rearrange_8",
            (_, false) => "rearrange_16",
            _ => "rearrange_add_16",
        };
        Launch(
            "rearrange", kernel, new Grid(Blocks(count, RearrangeThreads), RearrangeThreads),
            new RearrangeArguments(source, target, axes, count));
    }

    private static bool Repeats(in StridedAxes axes)
    {
        for (int axis = 0; axis < axes.Rank; axis++)
        {
            if (axes.First[axis] == 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// What is repeated is read once for several places: a thread writes 16 bytes where it can, along the longest repeated axis.
    /// </summary>
    private void Repeat(in StridedAxes axes, nint source, nint target)
    {
        int inner = axes.Rank - 1, along = -1;
        for (int axis = 0; axis < inner; axis++)
        {
            along = axes.First[axis] == 0 && (along < 0 || axes.Extents[axis] > axes.Extents[along]) ? axis : along;
        }

        int more = -1;
        for (int axis = 0; axis < inner; axis++)
        {
            more = axis != along && axes.First[axis] == 0 && axes.Extents[axis] <= RepeatsPerThread ? axis : more;
        }

        bool isNumber = axes.First[inner] == 0;
        long bits = axes.Inner;
        for (int axis = 0; axis < inner; axis++)
        {
            bits |= axes.Second[axis] | (isNumber ? 0 : axes.First[axis]);
        }

        bool vector = axes.Second[inner] == 1 && bits % 4 == 0 && ((target | (isNumber ? 0 : source)) & 15) == 0;
        int factor = vector ? 4 : 1;
        StridedAxes rest = default;
        for (int axis = 0; axis < axes.Rank; axis++)
        {
            if (axis != along && axis != more)
            {
                // In steps of 16 bytes: of both along rows, of the destination alone where a number is repeated.
                int places = axis == inner ? axes.Extents[axis] / factor : axes.Extents[axis];
                rest.Append(
                    places, axis == inner || isNumber ? axes.First[axis] : axes.First[axis] / factor,
                    axis == inner ? axes.Second[axis] : axes.Second[axis] / factor);
            }
        }

        int count = (int)rest.Count, repeats = along < 0 ? 1 : axes.Extents[along];
        string kernel = (vector, isNumber) switch
        {
            (false, _) => "rearrange_repeat_4",
            (true, false) => "rearrange_repeat_16",
            _ => "rearrange_repeat_number_16",
        };
        long threads = (long)count * Blocks(repeats, RepeatsPerThread);
        Launch(
            "rearrange", kernel, new Grid(Blocks(threads, RearrangeThreads), RearrangeThreads),
            new RepeatArguments(
                source, target, rest, along < 0 ? 0 : axes.Second[along] / factor, more < 0 ? 0 : axes.Second[more] / factor,
                count,
                repeats, more < 0 ? 1 : axes.Extents[more]));
    }

    /// <summary>The axis along which the source is contiguous, where that is not the destination's innermost; else -1.</summary>
    private static int AcrossAxis(in StridedAxes axes)
    {
        int inner = axes.Rank - 1;
        for (int axis = inner - 1; axis >= 0 && axes.Second[inner] == 1 && axes.First[inner] is not (0 or 1); axis--)
        {
            if (axes.First[axis] == 1)
            {
                return axis;
            }
        }

        return -1;
    }

    /// <summary>
    /// Bytes that one thread may move at once: a power of two that divides the runs, the strides and the addresses.
    /// </summary>
    private static int WidestAccess(in StridedAxes axes, nint addresses, int size, bool accumulate)
    {
        long bits = addresses | ((long)axes.Inner * size);
        for (int axis = 0; axis < axes.Rank - 1; axis++)
        {
            bits |= (axes.First[axis] | axes.Second[axis]) * size;
        }

        int wide = (int)Math.Min(16, bits & -bits);
        return accumulate && wide < 16 ? size : wide;
    }

    private void RearrangeTiles(in StridedAxes axes, int across, nint source, nint target, int size, bool accumulate)
    {
        int inner = axes.Rank - 1, width = axes.Extents[across], height = axes.Extents[inner];
        StridedAxes planes = default;
        for (int axis = 0; axis < inner; axis++)
        {
            if (axis != across)
            {
                planes.Append(axes.Extents[axis], axes.First[axis], axes.Second[axis]);
            }
        }

        int acrossBits = width < 32 ? Bits(width) : height < 32 ? RearrangeTileBits - Bits(height) : RearrangeTileBits / 2;
        int tilesAcross = Blocks(width, 1 << acrossBits), tilesAlong = Blocks(height, 1 << (RearrangeTileBits - acrossBits));
        var arguments = new RearrangeTilesArguments(
            source, target, planes, axes.First[inner], axes.Second[across], width, height, tilesAcross, tilesAlong, acrossBits);
        string kernel = (size, accumulate) switch
        {
            (1, _) => "rearrange_tiles_1",
            (2, _) => "rearrange_tiles_2",
            (4, false) => "rearrange_tiles_4",
            (4, true) => "rearrange_tiles_add_4",
            _ => "rearrange_tiles_8",
        };
        Launch(
            "rearrange", kernel, new Grid(checked((int)(planes.Count * tilesAcross * tilesAlong)), RearrangeThreads), arguments);

        static int Bits(int extent) => Math.Max(2, BitOperations.Log2((uint)extent - 1) + 1);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct RearrangeArguments(nint from, nint to, in StridedAxes axes, int count)
    {
        public readonly nint From = from, To = to;
        public readonly StridedAxes Axes = axes;
        public readonly int Count = count, Unused = 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct RepeatArguments(
        nint from, nint to, in StridedAxes axes, long stride, long moreStride, int count, int repeats, int moreRepeats)
    {
        public readonly nint From = from, To = to;
        public readonly StridedAxes Axes = axes;
        public readonly long Stride = stride, MoreStride = moreStride;
        public readonly int Count = count, Repeats = repeats, MoreRepeats = moreRepeats, Unused = 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct RearrangeTilesArguments(
        nint from, nint to, in StridedAxes planes, long fromRow, long toRow, int across, int along, int tilesAcross,
        int tilesAlong, int acrossBits)
    {
        public readonly nint From = from, To = to;
        public readonly StridedAxes Planes = planes;
        public readonly long FromRow = fromRow, ToRow = toRow;
        public readonly int Across = across, Along = along, TilesAcross = tilesAcross, TilesAlong = tilesAlong,
        AcrossBits = acrossBits, Unused = 0;
    }
}
