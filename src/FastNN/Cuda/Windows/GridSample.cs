using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Grid sampling, see kernels/gridsample.cu.</summary>
internal sealed unsafe partial class CudaWindows
{
    private const int SampleThreads = 256;

    public void GridSampleForward(in GridSampleGeometry geometry, Tensor x, Tensor grid, Tensor y) => Launch(
        "gridsample", "gridsample_forward", new Grid(Blocks(y.Count, SampleThreads), SampleThreads),
        SampleArguments(geometry, y.Count) with { X = x.Address, Grid = grid.Address, Y = y.Address });

    public void GridSampleBackwardInput(in GridSampleGeometry geometry, Tensor dY, Tensor grid, Tensor dX, bool accumulate) =>
        Launch(
            "gridsample", "gridsample_backward_input",
            new Grid(
                checked(geometry.N * geometry.H), SampleThreads, Blocks((long)geometry.W * geometry.C, SampleThreads)),
            SampleArguments(geometry, dX.Count) with
            {
                X = dY.Address,
                Grid = grid.Address,
                Y = dX.Address,
                Accumulate = accumulate ? 1 : 0,
            });

    public void GridSampleBackwardGrid(
        in GridSampleGeometry geometry, Tensor dY, Tensor x, Tensor grid, Tensor dGrid, bool accumulate) =>
        Launch(
            "gridsample", "gridsample_backward_grid", new Grid(Blocks(dGrid.Count / 2, SampleThreads / 32), SampleThreads),
            SampleArguments(geometry, dGrid.Count / 2) with
            {
                X = x.Address,
                Grid = grid.Address,
                DY = dY.Address,
                Y = dGrid.Address,
                Accumulate = accumulate ? 1 : 0,
            });

    private static GridSampleArguments SampleArguments(in GridSampleGeometry geometry, long count) => new()
    {
        ByC = new Divisor(geometry.C),
        ByPlaces = new Divisor(geometry.Places),
        ByH = new Divisor(geometry.H),
        H = geometry.H,
        W = geometry.W,
        C = geometry.C,
        Places = geometry.Places,
        Count = (int)count,
        IsNearest = geometry.IsNearest ? 1 : 0,
        Padding = (int)geometry.Padding,
        AlignCorners = geometry.AlignCorners ? 1 : 0,
    };

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GridSampleArguments
    {
        public nint X { get; init; }

        public nint Grid { get; init; }

        public nint DY { get; init; }

        public nint Y { get; init; }

        public Divisor ByC { get; init; }

        public Divisor ByPlaces { get; init; }

        public Divisor ByH { get; init; }

        public int H { get; init; }

        public int W { get; init; }

        public int C { get; init; }

        public int Places { get; init; }

        public int Count { get; init; }

        public int IsNearest { get; init; }

        public int Padding { get; init; }

        public int AlignCorners { get; init; }

        public int Accumulate { get; init; }

        public int Unused { get; init; }
    }
}
