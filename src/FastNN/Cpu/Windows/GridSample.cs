using System.Runtime.CompilerServices;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Grid sampling in vectors over channels. The gradient of the image is added up place after place; threads share out images, and
/// bands of rows where there are fewer, so that a pixel belongs to one thread and its sum has one order.
/// </summary>
internal sealed unsafe partial class CpuWindows
{
    public void GridSampleForward(in GridSampleGeometry geometry, Tensor x, Tensor grid, Tensor y) => RowLoop.Run(
        Pool, Tensor.Index((long)geometry.N * geometry.OH), geometry.OW * (geometry.C + 8L),
        new SampleRows(geometry, Floats(x), Floats(grid), Floats(y)));

    public void GridSampleBackwardInput(in GridSampleGeometry geometry, Tensor dY, Tensor grid, Tensor dX, bool accumulate)
    {
        if (!accumulate)
        {
            Fill(dX, 0);
        }

        int bands = geometry.N >= Threads ? 1 : Math.Min(Threads, geometry.H);
        RowLoop.Run(
            Pool, Tensor.Index((long)geometry.N * bands),
            Math.Max(ElementLoop.Block, geometry.Places * (geometry.C + 8L) / bands),
            new ScatterImages(geometry, Floats(dY), Floats(grid), Floats(dX), bands));
    }

    public void GridSampleBackwardGrid(
        in GridSampleGeometry geometry, Tensor dY, Tensor x, Tensor grid, Tensor dGrid, bool accumulate) => RowLoop.Run(
            Pool, Tensor.Index((long)geometry.N * geometry.OH), geometry.OW * (geometry.C + 8L),
            new GridRows(geometry, Floats(dY), Floats(x), Floats(grid), Floats(dGrid), accumulate));

    /// <summary>The pixels that a place reads; null outside the image.</summary>
    private readonly struct Corners
    {
        public readonly GridPosition X;
        public readonly GridPosition Y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Corners(in GridSampleGeometry geometry, float* place)
        {
            X = new GridPosition(place[0], geometry.W, geometry);
            Y = new GridPosition(place[1], geometry.H, geometry);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float* Pixel(in GridSampleGeometry geometry, float* image, int row, int column)
        {
            int h = Y.First + row, w = X.First + column;
            bool outside = (uint)h >= (uint)geometry.H || (uint)w >= (uint)geometry.W || (geometry.IsNearest && row + column > 0);
            return outside ? null : image + ((((nint)h * geometry.W) + w) * geometry.C);
        }

        public float Weight(int row, int column) => (row == 0 ? 1 - Y.Rest : Y.Rest) * (column == 0 ? 1 - X.Rest : X.Rest);
    }

    private readonly struct SampleRows(GridSampleGeometry geometry, float* x, float* grid, float* y) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint imageSize = (nint)geometry.H * geometry.W * geometry.C;
            for (nint place = start * geometry.OW; place < end * geometry.OW; place++)
            {
                float* image = x + (place / geometry.Places * imageSize), to = y + (place * geometry.C);
                var corners = new Corners(geometry, grid + (2 * place));
                float* nw = corners.Pixel(geometry, image, 0, 0), ne = corners.Pixel(geometry, image, 0, 1);
                float* sw = corners.Pixel(geometry, image, 1, 0), se = corners.Pixel(geometry, image, 1, 1);
                for (int c = 0; c < geometry.C; c += TLanes.Count)
                {
                    TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, geometry.C - c)), sum = TLanes.Broadcast(0);
                    sum = Add(sum, nw, c, corners.Weight(0, 0), mask);
                    sum = Add(sum, ne, c, corners.Weight(0, 1), mask);
                    sum = Add(sum, sw, c, corners.Weight(1, 0), mask);
                    sum = Add(sum, se, c, corners.Weight(1, 1), mask);
                    TLanes.StoreMasked(sum, to + c, mask);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TLanes Add<TLanes>(TLanes sum, float* pixel, int channel, float weight, TLanes mask)
            where TLanes : struct, IVectorLanes<TLanes> =>
            pixel == null ? sum : TLanes.MultiplyAdd(TLanes.LoadMasked(pixel + channel, mask), TLanes.Broadcast(weight), sum);
    }

    private readonly struct ScatterImages(GridSampleGeometry geometry, float* dY, float* grid, float* dX, int bands) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint task = start; task < end; task++)
            {
                var (n, band) = Math.DivRem(task, (nint)bands);
                long first = (long)geometry.H * band / bands, last = (long)geometry.H * (band + 1) / bands;
                float* image = dX + (n * geometry.H * geometry.W * geometry.C);
                for (nint place = n * geometry.Places; place < (n + 1) * geometry.Places; place++)
                {
                    var corners = new Corners(geometry, grid + (2 * place));
                    for (int row = 0; row < 2; row++)
                    {
                        int h = corners.Y.First + row;
                        for (int column = 0; h >= first && h < last && column < 2; column++)
                        {
                            Add<TLanes>(
                                corners.Pixel(geometry, image, row, column), dY + (place * geometry.C),
                                corners.Weight(row, column));
                        }
                    }
                }
            }
        }

        private void Add<TLanes>(float* pixel, float* from, float weight)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (int c = 0; pixel != null && c < geometry.C; c += TLanes.Count)
            {
                TLanes mask = TLanes.Mask(Math.Min(TLanes.Count, geometry.C - c));
                TLanes sum = TLanes.MultiplyAdd(
                    TLanes.LoadMasked(from + c, mask), TLanes.Broadcast(weight), TLanes.LoadMasked(pixel + c, mask));
                TLanes.StoreMasked(sum, pixel + c, mask);
            }
        }
    }

    private readonly struct GridRows(
        GridSampleGeometry geometry, float* dY, float* x, float* grid, float* dGrid, bool accumulate) : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            nint imageSize = (nint)geometry.H * geometry.W * geometry.C;
            for (nint place = start * geometry.OW; place < end * geometry.OW; place++)
            {
                float* image = x + (place / geometry.Places * imageSize), from = dY + (place * geometry.C);
                var corners = new Corners(geometry, grid + (2 * place));
                float* nw = corners.Pixel(geometry, image, 0, 0), ne = corners.Pixel(geometry, image, 0, 1);
                float* sw = corners.Pixel(geometry, image, 1, 0), se = corners.Pixel(geometry, image, 1, 1);
                float alongX = 0, alongY = 0;
                for (int c = 0; c < geometry.C; c++)
                {
                    float a = At(nw, c), b = At(ne, c), d = At(sw, c), e = At(se, c), share = from[c];
                    alongX += share * (((b - a) * (1 - corners.Y.Rest)) + ((e - d) * corners.Y.Rest));
                    alongY += share * (((d - a) * (1 - corners.X.Rest)) + ((e - b) * corners.X.Rest));
                }

                float* to = dGrid + (2 * place);
                to[0] = (accumulate ? to[0] : 0) + (geometry.IsNearest ? 0 : alongX * corners.X.Slope);
                to[1] = (accumulate ? to[1] : 0) + (geometry.IsNearest ? 0 : alongY * corners.Y.Slope);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float At(float* pixel, int channel) => pixel == null ? 0 : pixel[channel];
    }
}
