using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Elements put where indices say: a thread per line along the indexed axis, or per range of its places.</summary>
internal sealed unsafe partial class CudaIndexing
{
    /// <summary>Threads that are aimed at where lines are few; each range reads all indices again.</summary>
    private const int ScatterThreads = 8192, MaxScatterParts = 256;

    public void Scatter(string name, Tensor index, Tensor? picked, ulong constant, Tensor table, IndexedAxes axes)
    {
        string kernel = table.Type.Size() switch
        {
            1 => "scatter_1",
            2 => "scatter_2",
            4 => "scatter_4",
            _ => "scatter_8",
        };
        Scatter(kernel, index, picked, constant, table, axes, accumulate: false);
    }

    public void ScatterAdd(string name, Tensor index, Tensor picked, Tensor table, IndexedAxes axes) =>
        Scatter(IsShared(axes.Lines) ? "scatter_rows_add_4" : "scatter_add_4", index, picked, 0, table, axes, accumulate: true);

    public void Take(Tensor index, Tensor table, Tensor? picked, IndexedAxes axes, bool accumulate) =>
        Scatter("scatter_take_4", index, picked, 0, table, axes, accumulate);

    /// <summary>Whether all lines follow the same indices.</summary>
    private static bool IsShared(in StridedAxes lines)
    {
        long strides = 0;
        for (int axis = 0; axis < lines.Rank; axis++)
        {
            strides |= lines.First[axis];
        }

        return strides == 0;
    }

    private void Scatter(
        string kernel, Tensor index, Tensor? picked, ulong constant, Tensor table, IndexedAxes axes, bool accumulate)
    {
        int count = Tensor.Index(axes.Lines.Count);
        if (count == 0 || axes.Terms == 0 || axes.Extent == 0)
        {
            return;
        }

        int parts = axes.Terms == 1 ? 1 : Math.Clamp(ScatterThreads / count, 1, Math.Min(MaxScatterParts, axes.Extent));
        Launch(
            "scatter", kernel, new Grid(Blocks(count, RearrangeThreads), RearrangeThreads, parts),
            new ScatterArguments(
                table.Address, AddressOf(picked), index.Address, constant, axes, count, parts,
                index.Type == DType.Int64 ? 1 : 0, accumulate ? 1 : 0));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ScatterArguments(
        nint table, nint picked, nint indices, ulong constant, IndexedAxes axes, int count, int parts, int wide, int accumulate)
    {
        public readonly nint Table = table, Picked = picked, Indices = indices;
        public readonly ulong Constant = constant;
        public readonly StridedAxes Lines = axes.Lines;
        public readonly long IndexStep = axes.IndexStep, TableStep = axes.TableStep, PickedStep = axes.PickedStep;
        public readonly int Count = count, Parts = parts, Terms = axes.Terms, Extent = axes.Extent;
        public readonly int Wide = wide, Accumulate = accumulate;
    }
}
