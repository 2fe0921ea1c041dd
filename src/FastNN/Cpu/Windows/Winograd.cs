using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// A 3 x 3 convolution of stride 1 by F(4 x 4, 3 x 3): tiles of 6 x 6 inputs and the filter are transformed, multiplied point
/// by point, which is 36 matrix products of tiles x channels x filters, and transformed back to 4 x 4 outputs. A quarter of the
/// multiplications, and in float32 about six times the rounding error of the direct sum (<see
/// cref="CpuOptions.AllowWinograd"/>).
/// </summary>
/// <remarks>
/// Tiles are independent, so a task takes some of them through all three stages in its scratch memory; the gradient of the
/// filter sums over tiles, in pieces whose size depends on the shape alone.
/// </remarks>
internal static unsafe partial class Winograd<TLanes>
    where TLanes : struct, IVectorLanes<TLanes>
{
    /// <summary>Points of a tile.</summary>
    public const int Points = 36;

    private const int Side = WinogradTransforms<TLanes>.Points;
    private const int Outputs = WinogradTransforms<TLanes>.Outputs;

    /// <summary>The widest vector, so that one channel count suits every rung.</summary>
    private const int Granule = 16;

    /// <summary>Below, transforms cost more than the products save.</summary>
    private const int LeastChannels = 16;

    /// <summary>Tiles from which on transforming the filter, once per call, is paid back.</summary>
    private const int LeastTiles = 12;

    /// <summary>Rows times columns of a filter whose points, 19 MB, are kept for few tiles: reading more costs as much as making
    /// them.</summary>
    private const int MostFrozen = 128 * 1024;

    /// <summary>Tiles of a task at most: the filter is read again for each.</summary>
    private const int TaskTiles = 48;

    /// <summary>Floats between rows of transformed values beyond the channels, so that rows do not meet in the same cache
    /// sets.</summary>
    private const int RowGap = 16;

    private static int PanelWidth => Tile<TLanes>.MaxCols;

    /// <summary>Whether a pass over a shape gains from it; a pure function of both.</summary>
    public static bool Pays(in Conv2DGeometry g, ConvolutionPass pass)
    {
        if (g.KH != 3 || g.KW != 3 || g.Vertical.Stride != 1 || g.Horizontal.Stride != 1 || g.Vertical.Dilation != 1
            || g.Horizontal.Dilation != 1 || g.Groups != 1 || !g.Depth.IsFlat || g.C % Granule != 0 || g.OC % Granule != 0
            || g.C < LeastChannels || g.OC < LeastChannels || g.Vertical.PadBefore > 2 || g.Horizontal.PadBefore > 2
            || ScratchFloats(1, g.C, g.OC) * 12 * sizeof(float) > WorkerPool.ScratchBytes)
        {
            return false;
        }

        return pass == ConvolutionPass.BackwardData ? Pays(g.N, g.H, g.W) : Pays(g.N, g.OH, g.OW);
    }

    public static long WorkspaceBytes(in Conv2DGeometry g, ConvolutionPass pass) => sizeof(float) * pass switch
    {
        ConvolutionPass.BackwardFilter => GradientWorkspaceFloats(g),
        ConvolutionPass.Forward when KeepsTiles(Tiles(g.N, g.OH, g.OW), g.C, g.OC) => TilesFloats(Tiles(g.N, g.OH, g.OW), g.C),
        ConvolutionPass.BackwardData when KeepsTiles(Tiles(g.N, g.H, g.W), g.OC, g.C) => TilesFloats(Tiles(g.N, g.H, g.W), g.OC),
        _ => Points * PointStep((long)g.C * g.OC),
    };

    /// <summary>y (=|+=) f(x * w + bias).</summary>
    public static void Forward(
        WorkerPool pool, in Conv2DGeometry g, float* x, float* w, float* y, in Epilogue epilogue, float* workspace,
        FrozenValues? frozen = null)
    {
        var source = new TileGrid(x, g.H, g.W, g.C, g.OH, g.OW, g.N, g.Vertical.PadBefore, g.Horizontal.PadBefore);
        Run(pool, source, new FilterGrid(w, g.C, g.OC, false), workspace, y, epilogue, frozen);
    }

    /// <summary>dx (=|+=) f(dy convolved with the filter turned by half a circle, its channels exchanged, + bias).</summary>
    public static void BackwardData(
        WorkerPool pool, in Conv2DGeometry g, float* dy, float* w, float* dx, in Epilogue epilogue, float* workspace)
    {
        var source = new TileGrid(
            dy, g.OH, g.OW, g.OC, g.H, g.W, g.N, 2 - g.Vertical.PadBefore, 2 - g.Horizontal.PadBefore);
        Run(pool, source, new FilterGrid(w, g.OC, g.C, true), workspace, dx, epilogue);
    }

    /// <summary>Whether enough tiles are full: a tile of 16 outputs costs 36 multiplications, direct sums 9 each.</summary>
    private static bool Pays(int samples, int rows, int columns)
    {
        long tilesPerSample = Tiles(1, rows, columns);
        return samples * tilesPerSample >= LeastTiles && tilesPerSample * Outputs * Outputs * 5 <= (long)rows * columns * 8;
    }

    private static void Run(
        WorkerPool pool, in TileGrid source, in FilterGrid filter, float* workspace, float* target, in Epilogue epilogue,
        FrozenValues? frozen = null)
    {
        var transform = new FilterBody(pool, filter);
        bool keepsTiles = KeepsTiles(source.Tiles, filter.Rows, filter.Cols);
        float* points = null;
        if (keepsTiles && (long)filter.Rows * filter.Cols > MostFrozen)
        {
            frozen?.Load(new PoolLoader(pool));
        }
        else if (frozen is not null)
        {
            points = frozen.In(transform, new PoolLoader(pool), filter.Weights);
        }

        if (keepsTiles)
        {
            RunByFilters(pool, source, filter, workspace, points, target, epilogue);
            return;
        }

        if (points == null)
        {
            points = workspace;
            transform.Fill(filter.Weights, points);
        }

        int fitting = (int)(((WorkerPool.ScratchBytes / sizeof(float)) - (3 * Points * Granule))
            / ScratchFloats(1, filter.Rows, filter.Cols));
        int most = Math.Min(TaskTiles, fitting / Tile<TLanes>.MaxRows * Tile<TLanes>.MaxRows);
        // How tiles are shared does not change their sums, so it may depend on the number of threads.
        int tasks = Ceiling(Ceiling(source.Tiles, most), pool.Threads) * pool.Threads;
        var body = new TileBody(pool, source, Ceiling(source.Tiles, tasks), points, target, filter.Cols, epilogue);
        pool.Run(Ceiling(source.Tiles, body.TilesPerTask), ref body);
    }

    /// <summary>Scratch floats for so many tiles: transformed inputs and products.</summary>
    private static long ScratchFloats(int tiles, int channels, int targetChannels) =>
        (long)Points * tiles * (channels + RowGap + targetChannels + RowGap);

    /// <summary>
    /// Floats from one point's values to the next: an odd number of cache lines, so that the 36 lines that a transform writes
    /// at a time fall on different cache sets.
    /// </summary>
    private static nint PointStep(long floats) => (nint)(((floats + Granule - 1) / Granule) | 1) * Granule;

    private static int Tiles(int samples, int rows, int columns) =>
        samples * Ceiling(rows, Outputs) * Ceiling(columns, Outputs);

    private static int Ceiling(int count, int size) => (count + size - 1) / size;

    /// <summary>The whole filter transformed, as the product reads it: [point][panel of columns][row][width].</summary>
    private struct FilterBody(WorkerPool pool, FilterGrid filter) : IParallelBody, IFrozenForm
    {
        private float* _target;

        public readonly FrozenKey Key => new("Winograd points", filter.Rows, filter.Cols);

        public readonly long Floats => Points * PointStep((long)filter.Rows * filter.Cols);

        public readonly void Fill(float* values, float* target)
        {
            var body = new FilterBody(pool, filter.Of(values)) { _target = target };
            pool.Run(Ceiling(filter.Cols, PanelWidth) * Ceiling(filter.Rows, FilterGrid.BlockRows), ref body);
        }

        public readonly void Invoke(int task, int worker)
        {
            int blocks = Ceiling(filter.Rows, FilterGrid.BlockRows);
            int column = task / blocks * PanelWidth, first = task % blocks * FilterGrid.BlockRows;
            int width = Math.Min(PanelWidth, filter.Cols - column), count = Math.Min(FilterGrid.BlockRows, filter.Rows - first);
            filter.Transform(
                first, count, column, width, (float*)pool.Scratch(worker),
                _target + ((nint)filter.Rows * column) + ((nint)first * width), PointStep((long)filter.Rows * filter.Cols));
        }
    }

    /// <summary>Some tiles from inputs to outputs.</summary>
    private readonly struct TileBody(
        WorkerPool pool, TileGrid source, int tilesPerTask, float* filter, float* target, int targetChannels,
        Epilogue epilogue) : IParallelBody
    {
        public int TilesPerTask => tilesPerTask;

        public void Invoke(int task, int worker)
        {
            int first = task * tilesPerTask, count = Math.Min(tilesPerTask, source.Tiles - first);
            float* columns = (float*)pool.Scratch(worker);
            float* inputs = columns + (Points * Granule);
            int rowStep = source.Channels + RowGap, productStep = targetChannels + RowGap;
            nint inputPoint = PointStep((long)count * rowStep), productPoint = PointStep((long)count * productStep);
            float* products = inputs + (Points * inputPoint);
            for (int tile = 0; tile < count; tile++)
            {
                source.Transform(first + tile, columns, inputs + ((nint)tile * rowStep), inputPoint);
            }

            Multiply(inputs, rowStep, products, productStep, count);
            for (int tile = 0; tile < count; tile++)
            {
                source.WriteOutputs(
                    first + tile, columns, products + ((nint)tile * productStep), productPoint, target, targetChannels,
                    targetChannels, epilogue);
            }
        }

        private void Multiply(float* inputs, int rowStep, float* products, int productStep, int count)
        {
            for (int point = 0; point < Points; point++)
            {
                float* a = inputs + (point * PointStep((long)count * rowStep));
                float* c = products + (point * PointStep((long)count * productStep));
                float* b = filter + (point * PointStep((long)source.Channels * targetChannels));
                for (int column = 0; column < targetChannels; column += PanelWidth)
                {
                    int width = Math.Min(PanelWidth, targetChannels - column);
                    Product(
                        a, rowStep, count, source.Channels, b + ((nint)source.Channels * column), width, c + column, productStep,
                        Epilogue.Store);
                }
            }
        }
    }

    /// <summary>c [count, width] (=|+=) a [count, depth] * b [depth, width], for one point and one panel.</summary>
    [MethodImpl(KernelCode.Loop)]
    private static void Product(
        float* a, nint aStep, int count, int depth, float* b, int width, float* c, nint cStride, in Epilogue epilogue)
    {
        float** rows = stackalloc float*[16];
        nint offset = 0;
        for (int row = 0; row < count; row += Tile<TLanes>.MaxRows)
        {
            int taken = Math.Min(Tile<TLanes>.MaxRows, count - row);
            for (int r = 0; r < Tile<TLanes>.MaxRows; r++)
            {
                rows[r] = a + ((nint)(row + Math.Min(r, taken - 1)) * aStep);
            }

            Tile<TLanes>.Rows(rows, &offset, 1, depth, b, width, c + (row * cStride), cStride, taken, width, epilogue);
        }
    }
}
