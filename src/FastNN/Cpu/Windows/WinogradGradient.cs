using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>
/// The gradient of the filter: per point the product of transformed inputs, transposed, and transformed output gradients,
/// summed over all tiles; the filter's transform transposed makes nine taps of it.
/// </content>
internal static unsafe partial class Winograd<TLanes>
{
    /// <summary>Floats of transformed tiles that lie between the two stages: about 6 MB.</summary>
    private const int PieceFloats = 1536 * 1024;

    private const int TilesPerTask = 8;

    /// <summary>Channels whose 36 points of a panel's filters, 442 KB, are summed and transformed at once.</summary>
    private const int GradientChannels = 96;

    /// <summary>Channels times filters from which on there are enough such blocks for several threads.</summary>
    private const int LeastInOnePiece = 128 * 128;

    /// <summary>dw (=|+=) the gradient of the filter.</summary>
    public static void BackwardFilter(
        WorkerPool pool, in Conv2DGeometry g, float* x, float* dy, float* dw, bool accumulate, float* workspace)
    {
        int piece = PieceTiles(g);
        nint sums = IsOnePiece(g) ? 0 : Points * PointStep((long)g.C * g.OC);
        var body = new GradientBody
        {
            Pool = pool,
            Grid = new TileGrid(x, g.H, g.W, g.C, g.OH, g.OW, g.N, g.Vertical.PadBefore, g.Horizontal.PadBefore),
            Gradient = dy,
            Channels = g.C,
            Filters = g.OC,
            Sums = workspace,
            Inputs = workspace + sums,
            Outputs = workspace + sums + (Points * PointStep((long)piece * (g.C + RowGap))),
            Target = dw,
            Accumulate = accumulate,
        };
        for (int first = 0; first < body.Grid.Tiles; first += piece)
        {
            (body.First, body.Count) = (first, Math.Min(piece, body.Grid.Tiles - first));
            body.Stage = Stage.Transform;
            pool.Run(Ceiling(body.Count, TilesPerTask), ref body);
            if (IsOnePiece(g))
            {
                body.Stage = Stage.MultiplyAndFinish;
                pool.Run(Ceiling(g.OC, PanelWidth) * Ceiling(g.C, GradientChannels), ref body);
                return;
            }

            body.Stage = Stage.Multiply;
            pool.Run(Points, ref body);
        }

        body.Stage = Stage.Finish;
        pool.Run(g.C, ref body);
    }

    private static int Tiles(in Conv2DGeometry g) => Tiles(g.N, g.OH, g.OW);

    /// <summary>
    /// Whether all tiles are kept at once, where that takes no more memory than a piece and sums for all channels and filters: a
    /// task then sums some channels and filters to the end.
    /// </summary>
    private static bool IsOnePiece(in Conv2DGeometry g) =>
        (long)g.C * g.OC >= LeastInOnePiece
            && (Tiles(g) - SmallPieceTiles(g)) * (g.C + g.OC + (2L * RowGap)) <= (long)g.C * g.OC;

    private static int PieceTiles(in Conv2DGeometry g) => IsOnePiece(g) ? Tiles(g) : SmallPieceTiles(g);

    private static int SmallPieceTiles(in Conv2DGeometry g) =>
        Math.Min(Tiles(g), Math.Max(48, PieceFloats / (Points * (g.C + g.OC + (2 * RowGap))) / 16 * 16));

    private static long GradientWorkspaceFloats(in Conv2DGeometry g) => Points
        * ((IsOnePiece(g) ? 0 : PointStep((long)g.C * g.OC)) + PointStep((long)PieceTiles(g) * (g.C + RowGap))
            + PointStep((long)PieceTiles(g) * (g.OC + RowGap)));

    private enum Stage
    {
        Transform,
        Multiply,
        Finish,
        MultiplyAndFinish,
    }

    private struct GradientBody : IParallelBody
    {
        public WorkerPool Pool;
        public TileGrid Grid;
        public float* Gradient;
        public int Channels;
        public int Filters;
        public float* Sums;
        public float* Inputs;
        public float* Outputs;
        public float* Target;
        public bool Accumulate;
        public int First;
        public int Count;
        public Stage Stage;

        private readonly int InputStep => Channels + RowGap;

        private readonly int OutputStep => Filters + RowGap;

        private readonly nint InputPoint => PointStep((long)Count * InputStep);

        private readonly nint OutputPoint => PointStep((long)Count * OutputStep);

        private readonly nint SumPoint => PointStep((long)Channels * Filters);

        public readonly void Invoke(int task, int worker)
        {
            switch (Stage)
            {
                case Stage.Transform:
                    Transform(task, (float*)Pool.Scratch(worker));
                    break;
                case Stage.Multiply:
                    Multiply(task);
                    break;
                case Stage.MultiplyAndFinish:
                    MultiplyAndFinish(task, (float*)Pool.Scratch(worker));
                    break;
                default:
                    Finish(task, (float*)Pool.Scratch(worker));
                    break;
            }
        }

        private readonly void Transform(int task, float* scratch)
        {
            int end = Math.Min(Count, (task + 1) * TilesPerTask);
            for (int tile = task * TilesPerTask; tile < end; tile++)
            {
                Grid.Transform(First + tile, scratch, Inputs + ((nint)tile * InputStep), InputPoint);
                Grid.TransformGradient(
                    First + tile, scratch, Gradient, Filters, Outputs + ((nint)tile * OutputStep), OutputPoint);
            }
        }

        /// <summary>One point's sums over the tiles of this piece.</summary>
        private readonly void Multiply(int point)
        {
            Epilogue epilogue = First == 0 ? Epilogue.Store : Epilogue.Add;
            for (int column = 0; column < Filters; column += PanelWidth)
            {
                int width = Math.Min(PanelWidth, Filters - column);
                Product(point, 0, Channels, column, width, Sums + (point * SumPoint) + column, Filters, epilogue);
            }
        }

        /// <summary>c [rows, width] (=|+=) one point's sums for some channels and one panel of filters.</summary>
        private readonly void Product(
            int point, int first, int rows, int column, int width, float* c, nint cStep, in Epilogue epilogue)
        {
            float* b = Outputs + (point * OutputPoint) + column;
            for (int row = 0; row < rows; row += Tile<TLanes>.MaxRows)
            {
                float* a = Inputs + (point * InputPoint) + first + row;
                Tile<TLanes>.Panel(
                    &a, InputStep, &b, OutputStep, 1, Count, c + (row * cStep), cStep,
                    Math.Min(Tile<TLanes>.MaxRows, rows - row), width, epilogue);
            }
        }

        /// <summary>All points of some channels and one panel of filters, whose sums stay in the second-level cache.</summary>
        private readonly void MultiplyAndFinish(int task, float* scratch)
        {
            int blocks = Ceiling(Channels, GradientChannels);
            int column = task / blocks * PanelWidth, first = task % blocks * GradientChannels;
            int width = Math.Min(PanelWidth, Filters - column), rows = Math.Min(GradientChannels, Channels - first);
            float* sums = scratch + (3 * Side * Granule);
            nint sumPoint = PointStep((long)rows * width);
            for (int point = 0; point < Points; point++)
            {
                Product(point, first, rows, column, width, sums + (point * sumPoint), width, Epilogue.Store);
            }

            for (int row = 0; row < rows; row++)
            {
                Taps(
                    sums + ((nint)row * width), sumPoint, Target + ((nint)(first + row) * Filters) + column, width, scratch);
            }
        }

        /// <summary>The nine taps of one input channel.</summary>
        private readonly void Finish(int channel, float* scratch) => Taps(
            Sums + ((nint)channel * Filters), SumPoint, Target + ((nint)channel * Filters), Filters, scratch);

        [MethodImpl(KernelCode.Loop)]
        private readonly void Taps(float* sums, nint point, float* target, int count, float* scratch)
        {
            nint tap = (nint)Channels * Filters;
            for (int c = 0; c < count; c += TLanes.Count)
            {
                for (int j = 0; j < Side; j++)
                {
                    float* at = scratch + (j * Granule);
                    WinogradTransforms<TLanes>.FilterGradient(
                        sums + (j * point) + c, Side * point, out TLanes g0, out TLanes g1, out TLanes g2);
                    TLanes.Store(g0, at);
                    TLanes.Store(g1, at + (Side * Granule));
                    TLanes.Store(g2, at + (2 * Side * Granule));
                }

                for (int i = 0; i < 3; i++)
                {
                    float* dw = target + (i * 3 * tap) + c;
                    WinogradTransforms<TLanes>.FilterGradient(
                        scratch + (i * Side * Granule), Granule, out TLanes g0, out TLanes g1, out TLanes g2);
                    TLanes.Store(Accumulate ? g0 + TLanes.Load(dw) : g0, dw);
                    TLanes.Store(Accumulate ? g1 + TLanes.Load(dw + tap) : g1, dw + tap);
                    TLanes.Store(Accumulate ? g2 + TLanes.Load(dw + (2 * tap)) : g2, dw + (2 * tap));
                }
            }
        }
    }
}
