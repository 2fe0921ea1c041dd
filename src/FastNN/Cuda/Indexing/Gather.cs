using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Elements by their indices: a thread per element, as wide as rows of one index allow.</summary>
internal sealed unsafe partial class CudaIndexing
{
    public void Gather(string name, Tensor index, Tensor table, Tensor picked, IndexedAxes axes, bool accumulate)
    {
        StridedAxes places = axes.Picked;
        int count = Tensor.Index(places.Count), size = picked.Type.Size(), inner = places.Rank - 1;
        if (count == 0)
        {
            return;
        }

        long tableStep = axes.TableStep;
        int factor = 16 / size;
        bool isRow = inner >= 0 && places.First[inner] == 0 && places.Second[inner] == 1 && places.Third[inner] == 1;
        long bits = (long)places.Inner | tableStep;
        for (int axis = 0; axis < inner; axis++)
        {
            bits |= places.Second[axis] | places.Third[axis];
        }

        bool wide = isRow && bits % factor == 0 && ((table.Address | picked.Address) & 15) == 0 && (!accumulate || size == 4);
        if (wide)
        {
            (count, tableStep) = (count / factor, tableStep / factor);
            places.Extents[inner] /= factor;
            for (int axis = 0; axis < inner; axis++)
            {
                places.Second[axis] /= factor;
                places.Third[axis] /= factor;
            }
        }

        string kernel = (wide ? 16 : size, accumulate) switch
        {
            (1, _) => "gather_1",
            (2, _) => "gather_2",
            (4, false) => "gather_4",
            (4, true) => "gather_add_4",
            (8, _) => "gather_8",
            (_, false) => "gather_16",
            _ => "gather_add_16",
        };
        Launch(
            "gather", kernel, new Grid(Blocks(count, RearrangeThreads), RearrangeThreads),
            new GatherArguments(
                table.Address, picked.Address, index.Address, tableStep, places, count, axes.Extent,
                index.Type == DType.Int64 ? 1 : 0));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct GatherArguments(
        nint table, nint picked, nint indices, long tableStep, in StridedAxes axes, int count, int extent, int wide)
    {
        public readonly nint Table = table, Picked = picked, Indices = indices;
        public readonly long TableStep = tableStep;
        public readonly StridedAxes Axes = axes;
        public readonly int Count = count, Extent = extent, Wide = wide, Unused = 0;
    }
}
