using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

internal static unsafe partial class Winograd<TLanes>
{
    /// <summary>An image and the tiles of 4 x 4 outputs that are made of it; what lies outside of the image is 0.</summary>
    private readonly struct TileGrid(
        float* source, int height, int width, int channels, int rows, int columns, int samples, int padTop, int padLeft)
    {
        private readonly int _across = Ceiling(columns, Outputs);
        private readonly int _perSample = Ceiling(columns, Outputs) * Ceiling(rows, Outputs);

        public int Channels => channels;

        public int Tiles => samples * _perSample;

        /// <summary>The 36 points of a tile, for all channels: point p at target + p * pointStep.</summary>
        /// <param name="scratch">Room for 36 vectors.</param>
        public void Transform(int tile, float* scratch, float* target, nint pointStep)
        {
            (int sample, int row, int column) = Locate(tile);
            (row, column) = (row - padTop, column - padLeft);
            float* corner = source + ((((nint)sample * height) + row) * width * channels) + ((nint)column * channels);
            if (row >= 0 && column >= 0 && row + Side <= height && column + Side <= width)
            {
                TransformInside(corner, scratch, target, pointStep);
            }
            else
            {
                TransformBorder(corner, row, column, scratch, target, pointStep);
            }
        }

        /// <summary>
        /// Four times four outputs from 36 points, where they lie inside of the target: so many of its channels.
        /// </summary>
        public void WriteOutputs(
            int tile, float* scratch, float* points, nint pointStep, float* target, int targetChannels, int count,
            in Epilogue epilogue)
        {
            (int sample, int row, int column) = Locate(tile);
            int validRows = Math.Min(Outputs, rows - row), validColumns = Math.Min(Outputs, columns - column);
            float* corner = target + ((((((nint)sample * rows) + row) * columns) + column) * targetChannels);
            nint rowStep = (nint)columns * targetChannels;
            Outward(scratch, points, pointStep, corner, rowStep, targetChannels, count, validRows, validColumns, epilogue);
            for (int i = 0; epilogue.NeedsFinish && i < validRows; i++)
            {
                epilogue.Finish(corner + (i * rowStep), targetChannels, validColumns, count);
            }
        }

        /// <summary>The gradients of the 36 points from those of four times four outputs; outputs outside count as 0.</summary>
        /// <param name="gradient">Of the outputs [samples, rows, columns, gradientChannels].</param>
        [MethodImpl(KernelCode.Loop)]
        public void TransformGradient(
            int tile, float* scratch, float* gradient, int gradientChannels, float* target, nint pointStep)
        {
            (int sample, int row, int column) = Locate(tile);
            int validRows = Math.Min(Outputs, rows - row), validColumns = Math.Min(Outputs, columns - column);
            float* corner = gradient + ((((((nint)sample * rows) + row) * columns) + column) * gradientChannels);
            nint rowStep = (nint)columns * gradientChannels;
            TLanes zero = default(TLanes);
            for (int c = 0; c < gradientChannels; c += TLanes.Count)
            {
                for (int j = 0; j < Outputs; j++)
                {
                    float* at = corner + ((nint)j * gradientChannels) + c;
                    bool inside = j < validColumns;
                    WinogradTransforms<TLanes>.OutputGradient(
                        inside ? TLanes.Load(at) : zero, inside && validRows > 1 ? TLanes.Load(at + rowStep) : zero,
                        inside && validRows > 2 ? TLanes.Load(at + (2 * rowStep)) : zero,
                        inside && validRows > 3 ? TLanes.Load(at + (3 * rowStep)) : zero, scratch + (j * Granule),
                        Outputs * Granule);
                }

                for (int i = 0; i < Side; i++)
                {
                    float* at = scratch + (i * Outputs * Granule);
                    WinogradTransforms<TLanes>.OutputGradient(
                        TLanes.Load(at), TLanes.Load(at + Granule), TLanes.Load(at + (2 * Granule)),
                        TLanes.Load(at + (3 * Granule)), target + c + (i * Side * pointStep), pointStep);
                }
            }
        }

        private (int Sample, int Row, int Column) Locate(int tile)
        {
            int sample = tile / _perSample;
            tile -= sample * _perSample;
            int down = tile / _across;
            return (sample, down * Outputs, (tile - (down * _across)) * Outputs);
        }

        [MethodImpl(KernelCode.Loop)]
        private void TransformInside(float* corner, float* scratch, float* target, nint pointStep)
        {
            nint rowStep = (nint)width * channels;
            for (int c = 0; c < channels; c += TLanes.Count)
            {
                for (int j = 0; j < Side; j++)
                {
                    float* at = corner + ((nint)j * channels) + c;
                    WinogradTransforms<TLanes>.Input(
                        TLanes.Load(at), TLanes.Load(at + rowStep), TLanes.Load(at + (2 * rowStep)),
                        TLanes.Load(at + (3 * rowStep)), TLanes.Load(at + (4 * rowStep)), TLanes.Load(at + (5 * rowStep)),
                        scratch + (j * Granule), Side * Granule);
                }

                TransformRows(scratch, target + c, pointStep);
            }
        }

        [MethodImpl(KernelCode.Loop)]
        private void TransformBorder(float* corner, int row, int column, float* scratch, float* target, nint pointStep)
        {
            nint rowStep = (nint)width * channels;
            int first = Math.Max(0, -row), end = Math.Min(Side, height - row);
            TLanes zero = default(TLanes);
            for (int c = 0; c < channels; c += TLanes.Count)
            {
                for (int j = 0; j < Side; j++)
                {
                    float* at = corner + ((nint)j * channels) + c;
                    bool inside = column + j >= 0 && column + j < width;
                    WinogradTransforms<TLanes>.Input(
                        inside && first <= 0 && end > 0 ? TLanes.Load(at) : zero,
                        inside && first <= 1 && end > 1 ? TLanes.Load(at + rowStep) : zero,
                        inside && first <= 2 && end > 2 ? TLanes.Load(at + (2 * rowStep)) : zero,
                        inside && first <= 3 && end > 3 ? TLanes.Load(at + (3 * rowStep)) : zero,
                        inside && first <= 4 && end > 4 ? TLanes.Load(at + (4 * rowStep)) : zero,
                        inside && first <= 5 && end > 5 ? TLanes.Load(at + (5 * rowStep)) : zero, scratch + (j * Granule),
                        Side * Granule);
                }

                TransformRows(scratch, target + c, pointStep);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void TransformRows(float* scratch, float* target, nint pointStep)
        {
            for (int i = 0; i < Side; i++)
            {
                float* at = scratch + (i * Side * Granule);
                WinogradTransforms<TLanes>.Input(
                    TLanes.Load(at), TLanes.Load(at + Granule), TLanes.Load(at + (2 * Granule)), TLanes.Load(at + (3 * Granule)),
                    TLanes.Load(at + (4 * Granule)), TLanes.Load(at + (5 * Granule)), target + (i * Side * pointStep), pointStep);
            }
        }

        [MethodImpl(KernelCode.Loop)]
        private static void Outward(
            float* scratch, float* points, nint pointStep, float* corner, nint rowStep, int targetChannels, int count,
            int validRows, int validColumns, in Epilogue epilogue)
        {
            TLanes parameter = TLanes.Broadcast(epilogue.Parameter);
            Rectifier rectifier = epilogue.Rectifier;
            bool accumulates = epilogue.Accumulate;
            for (int c = 0; c < count; c += TLanes.Count)
            {
                TLanes bias = epilogue.Bias != null ? TLanes.Load(epilogue.Bias + c) : default(TLanes);
                for (int j = 0; j < Side; j++)
                {
                    float* at = scratch + (j * Granule);
                    WinogradTransforms<TLanes>.Output(
                        points + (j * pointStep) + c, Side * pointStep, out TLanes y0, out TLanes y1, out TLanes y2,
                        out TLanes y3);
                    TLanes.Store(y0, at);
                    TLanes.Store(y1, at + (Side * Granule));
                    TLanes.Store(y2, at + (2 * Side * Granule));
                    TLanes.Store(y3, at + (3 * Side * Granule));
                }

                for (int i = 0; i < validRows; i++)
                {
                    float* y = corner + (i * rowStep) + c;
                    WinogradTransforms<TLanes>.Output(
                        scratch + (i * Side * Granule), Granule, out TLanes y0, out TLanes y1, out TLanes y2, out TLanes y3);
                    for (int j = 0; j < validColumns; j++)
                    {
                        TLanes value = (j == 0 ? y0 : j == 1 ? y1 : j == 2 ? y2 : y3) + bias;
                        value = accumulates ? value + TLanes.Load(y) : value;
                        TLanes.Store(rectifier == Rectifier.None ? value : Tile<TLanes>.Rectify(value, rectifier, parameter), y);
                        y += targetChannels;
                    }
                }
            }
        }
    }
}
