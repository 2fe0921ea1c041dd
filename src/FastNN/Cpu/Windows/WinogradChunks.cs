using System.Runtime.CompilerServices;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <content>
/// The gradient of the filter where tiles are many and channels few: a task takes some tiles through their transforms, the
/// products and the nine taps in its own scratch memory, and leaves its share of the gradient; shares are added up in order.
/// Otherwise half of all transformed values, 36 per 16 pixels, would go from one core's cache to the other's, which took most of
/// what a second core gains.
/// </content>
internal static unsafe partial class Winograd<TLanes>
{
    /// <summary>Tiles of a chunk below which the taps' transform shows beside the products.</summary>
    private const int LeastChunkTiles = 24;

    /// <summary>Tiles that must fit a task's scratch memory: with more channels shares of the gradient become too
    /// large.</summary>
    private const int LeastFittingTiles = 64;

    /// <summary>How many chunks there are is a multiple of it, so that 2 or 4 threads share them evenly.</summary>
    private const int ChunkMultiple = 4;

    /// <summary>Into how many chunks the tiles are cut, by shape alone; 0 where another way is better.</summary>
    private static int ChunkCount(in Conv2DGeometry g)
    {
        int tiles = Tiles(g), fitting = ChunkFittingTiles(g);
        if (IsOnePiece(g) || fitting < LeastFittingTiles || tiles < ChunkMultiple * LeastChunkTiles)
        {
            return 0;
        }

        int least = tiles < 2 * ChunkMultiple * LeastChunkTiles ? ChunkMultiple : 2 * ChunkMultiple;
        return Math.Max(Ceiling(Ceiling(tiles, fitting), ChunkMultiple) * ChunkMultiple, least);
    }

    /// <summary>Tiles whose points, inputs' and gradients', fit a task's scratch memory beside its sums.</summary>
    private static int ChunkFittingTiles(in Conv2DGeometry g)
    {
        // Each point may begin up to two granules after the one before it ends.
        long free = (WorkerPool.ScratchBytes / sizeof(float)) - ChunkSumFloats(g.C) - (4 * Points * Granule);
        return (int)(free / (Points * (g.C + g.OC + (2 * RowGap))));
    }

    /// <summary>Scratch floats before the points: a tile's transform, or the sums of a block and the taps' transform.</summary>
    private static nint ChunkSumFloats(int channels) => Math.Max(
        Points * Granule, (3 * Side * Granule) + (Points * PointStep((long)Math.Min(channels, GradientChannels) * PanelWidth)));

    private static void BackwardFilterByChunks(
        in GradientBody whole, in Conv2DGeometry g, int chunks, float* dw, bool accumulate, float* shares)
    {
        var body = new ChunkBody(whole, chunks, g.FilterCount, shares);
        whole.Pool.Run(chunks, ref body);
        ConvolutionReduction<TLanes>.Run(whole.Pool, shares, chunks, g.FilterCount, dw, accumulate);
    }

    /// <summary>The share of some tiles in the gradient.</summary>
    private readonly struct ChunkBody(GradientBody whole, int chunks, long shareFloats, float* shares) : IParallelBody
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Invoke(int task, int worker)
        {
            GradientBody body = whole;
            float* scratch = (float*)whole.Pool.Scratch(worker);
            body.First = (int)((long)whole.Grid.Tiles * task / chunks);
            body.Count = (int)((long)whole.Grid.Tiles * (task + 1) / chunks) - body.First;
            body.Inputs = scratch + ChunkSumFloats(whole.Channels);
            body.Outputs = body.Inputs + (Points * body.InputPoint);
            body.Target = shares + (task * shareFloats);
            body.Accumulate = false;
            body.Transform(0, body.Count, scratch);
            for (int block = 0; block < body.Blocks; block++)
            {
                body.MultiplyAndFinish(block, scratch);
            }
        }
    }
}
