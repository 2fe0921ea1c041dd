using System.Runtime.CompilerServices;

namespace FastNN.Cpu;

internal static unsafe partial class Winograd<TLanes>
{
    /// <summary>
    /// The filter [3, 3, Rows, Cols] of a product that sums over its rows; where transposed, of weights [3, 3, Cols, Rows] that
    /// are turned by half a circle.
    /// </summary>
    private readonly struct FilterGrid(float* weights, int rows, int cols, bool transposed)
    {
        /// <summary>Rows of a block that is transposed at a time.</summary>
        public const int BlockRows = 16;

        /// <summary>Scratch floats of <see cref="Transform"/>: three columns of points, and nine transposed taps.</summary>
        public static readonly int ScratchFloats = (Points * Granule) + (9 * ((BlockRows * PanelWidth) + Pack<TLanes>.Slack));

        public float* Weights => weights;

        public int Rows => rows;

        public int Cols => cols;

        /// <summary>The same of other weights.</summary>
        public FilterGrid Of(float* others) => new(others, rows, cols, transposed);

        /// <summary>The points of count rows (of a block at most) and one panel of columns: [point][row][width].</summary>
        [MethodImpl(KernelCode.Loop)]
        public void Transform(int first, int count, int column, int width, float* scratch, float* target, nint pointStep)
        {
            float* columns = scratch, taps = columns + (Points * Granule);
            nint tapStep = (nint)rows * cols, rowStep = cols;
            float* source = weights + ((nint)first * cols) + column;
            if (transposed)
            {
                tapStep = (BlockRows * PanelWidth) + Pack<TLanes>.Slack;
                rowStep = width;
                source = taps;
                for (int tap = 0; tap < 9; tap++)
                {
                    float* from = weights + ((nint)(8 - tap) * rows * cols) + ((nint)column * rows) + first;
                    Pack<TLanes>.Transposed(from, rows, width, count, taps + (tap * tapStep), width);
                }
            }

            for (int row = 0; row < count; row++)
            {
                for (int c = 0; c < width; c += TLanes.Count)
                {
                    float* g = source + (row * rowStep) + c;
                    for (int j = 0; j < 3; j++)
                    {
                        WinogradTransforms<TLanes>.Filter(
                            TLanes.Load(g + (j * tapStep)), TLanes.Load(g + ((3 + j) * tapStep)),
                            TLanes.Load(g + ((6 + j) * tapStep)), columns + (j * Granule), 3 * Granule);
                    }

                    for (int i = 0; i < Side; i++)
                    {
                        float* at = columns + (i * 3 * Granule);
                        WinogradTransforms<TLanes>.Filter(
                            TLanes.Load(at), TLanes.Load(at + Granule), TLanes.Load(at + (2 * Granule)),
                            target + ((nint)row * width) + c + (i * Side * pointStep), pointStep);
                    }
                }
            }
        }
    }
}
