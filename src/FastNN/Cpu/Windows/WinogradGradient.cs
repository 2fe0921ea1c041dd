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

    /// <summary>dw (=|+=) the gradient of the filter.</summary>
    public static void BackwardFilter(
        WorkerPool pool, in Conv2DGeometry g, float* x, float* dy, float* dw, bool accumulate, float* workspace)
    {
        int piece = PieceTiles(g);
        var body = new GradientBody
        {
            Pool = pool,
            Grid = new TileGrid(x, g.H, g.W, g.C, g.OH, g.OW, g.N, g.Vertical.PadBefore, g.Horizontal.PadBefore),
            Gradient = dy,
            Channels = g.C,
            Filters = g.OC,
            Sums = workspace,
            Inputs = workspace + (Points * PointStep((long)g.C * g.OC)),
            Outputs = workspace + (Points * (PointStep((long)g.C * g.OC) + PointStep((long)piece * (g.C + RowGap)))),
            Target = dw,
            Accumulate = accumulate,
        };
        for (int first = 0; first < body.Grid.Tiles; first += piece)
        {
            (body.First, body.Count) = (first, Math.Min(piece, body.Grid.Tiles - first));
            body.Stage = Stage.Transform;
            pool.Run(Ceiling(body.Count, TilesPerTask), ref body);
            body.Stage = Stage.Multiply;
            pool.Run(Points, ref body);
        }

        body.Stage = Stage.Finish;
        pool.Run(g.C, ref body);
    }

    private static int Tiles(in Conv2DGeometry g) => g.N * Ceiling(g.OH, Outputs) * Ceiling(g.OW, Outputs);

    private static int PieceTiles(in Conv2DGeometry g) =>
        Math.Min(Tiles(g), Math.Max(48, PieceFloats / (Points * (g.C + g.OC + (2 * RowGap))) / 16 * 16));

    private static long GradientWorkspaceBytes(in Conv2DGeometry g) => sizeof(float)
        * Points * (PointStep((long)g.C * g.OC) + PointStep((long)PieceTiles(g) * (g.C + RowGap))
            + PointStep((long)PieceTiles(g) * (g.OC + RowGap)));

    private enum Stage
    {
        Transform,
        Multiply,
        Finish,
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
            float* inputs = Inputs + (point * InputPoint);
            float* outputs = Outputs + (point * OutputPoint);
            float* sums = Sums + (point * SumPoint);
            Epilogue epilogue = First == 0 ? Epilogue.Store : Epilogue.Add;
            for (int column = 0; column < Filters; column += PanelWidth)
            {
                int width = Math.Min(PanelWidth, Filters - column);
                float* b = outputs + column;
                for (int row = 0; row < Channels; row += Tile<TLanes>.MaxRows)
                {
                    float* a = inputs + row;
                    Tile<TLanes>.Panel(
                        &a, InputStep, &b, OutputStep, 1, Count, sums + ((nint)row * Filters) + column, Filters,
                        Math.Min(Tile<TLanes>.MaxRows, Channels - row), width, epilogue);
                }
            }
        }

        /// <summary>The nine taps of one input channel.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Finish(int channel, float* scratch)
        {
            nint point = SumPoint, tap = (nint)Channels * Filters;
            float* sums = Sums + ((nint)channel * Filters), target = Target + ((nint)channel * Filters);
            for (int c = 0; c < Filters; c += TLanes.Count)
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
