using FastNN.Kernels;

namespace FastNN.Cpu;

internal static unsafe partial class Convolution<TLanes>
{
    /// <summary>What the rows of backward-filter's tiles are.</summary>
    private enum FilterForm
    {
        /// <summary>Channels of one tap: the form for padding, groups and dilation along a row.</summary>
        Taps,

        /// <summary>The channels of all taps of a kernel row, which are neighbors in memory at every pixel.</summary>
        KernelRows,

        /// <summary>Filters, while the lanes run over the channels of a kernel row.</summary>
        SwappedRows,

        /// <summary>All taps of the only channel.</summary>
        AllTaps,
    }

    /// <summary>How backward-filter is cut, by shape alone.</summary>
    private readonly struct FilterPlan
    {
        private const int MaxChunks = 16;

        /// <summary>Each partial must be worth its part in the final sum: two additions of 4 bytes an element.</summary>
        private const int PixelsPerChunk = 512;
        private const int EnoughUnits = 16;

        /// <summary>
        /// Where the units alone keep all threads busy, chunks serve only to read x and dy once from the second-level cache
        /// instead of once for each unit; beyond this size of all partials they cost more than that.
        /// </summary>
        private const long MaxPartialBytes = 4 << 20;

        /// <summary>
        /// Pixels summed in registers before the tile is added to memory; their part of dy stays in the first-level cache.
        /// </summary>
        private const int PixelsPerStrip = 256;

        private const int MaxPackedPixels = 4 << 10;

        /// <summary>Beyond this the filters' final transposition is no longer negligible.</summary>
        private const int MaxSwappedCount = 16 << 10;

        public readonly FilterForm Form;
        public readonly int Panels;
        public readonly int Units;
        public readonly int UnitsPerTask;
        public readonly int UnitTasks;
        public readonly int Chunks;
        public readonly long RowsPerChunk;
        public readonly int RowsPerStrip;

        /// <summary>
        /// The strip's part of dy is copied to consecutive rows, where those of a wide dy fall on few sets of the first-level
        /// cache; worth it where several tiles read it.
        /// </summary>
        public readonly bool PacksStrips;
        public readonly long WorkspaceBytes;

        private FilterPlan(in Conv2DGeometry g)
        {
            Form = FormOf(g);
            Panels = (g.GroupOC + PanelWidth - 1) / PanelWidth;
            Units = Form switch
            {
                FilterForm.AllTaps => Panels * (((g.KH * g.KW) + Tile<TLanes>.MaxRows - 1) / Tile<TLanes>.MaxRows),
                FilterForm.SwappedRows => g.KH,
                FilterForm.KernelRows => Panels * g.KH,
                _ => g.Groups * Panels * g.KH * g.KW,
            };
            long rows = (long)g.N * g.OH;
            long pixels = rows * g.OW;
            long wanted = Math.Clamp(pixels / PixelsPerChunk, 1, MaxChunks);
            if (Units >= EnoughUnits)
            {
                wanted = Math.Clamp(MaxPartialBytes / (g.FilterCount * sizeof(float)), 1, wanted);
            }
            RowsPerChunk = (rows + wanted - 1) / wanted;
            Chunks = (int)((rows + RowsPerChunk - 1) / RowsPerChunk);
            UnitTasks = Math.Min(Units, 4 * EnoughUnits / Chunks);
            UnitsPerTask = (Units + UnitTasks - 1) / UnitTasks;
            UnitTasks = (Units + UnitsPerTask - 1) / UnitsPerTask;
            RowsPerStrip = Math.Max(1, PixelsPerStrip / g.OW);
            PacksStrips = Form is FilterForm.KernelRows or FilterForm.Taps && g.GroupOC > PanelWidth
                && g.GroupC * (Form == FilterForm.KernelRows ? g.KW : 1) >= 2 * Tile<TLanes>.MaxRows
                && (long)RowsPerStrip * g.OW <= MaxPackedPixels;
            WorkspaceBytes = Chunks == 1 && Form != FilterForm.SwappedRows ? 0 : Chunks * (g.FilterCount + g.OC) * sizeof(float);
        }

        public static FilterPlan For(in Conv2DGeometry geometry) => new(geometry);

        private static FilterForm FormOf(in Conv2DGeometry g)
        {
            bool inside = g.Groups == 1 && g.Horizontal.IsInside;
            if (inside && g.Depth.IsFlat && g.Vertical.IsInside && g.C == 1 && g.Horizontal.Stride == 1)
            {
                return FilterForm.AllTaps;
            }
            if (!inside || g.Horizontal.Dilation != 1)
            {
                return FilterForm.Taps;
            }
            int channels = g.KW * g.C;
            return g.FilterCount <= MaxSwappedCount && Cycles(g.OC, channels) < 0.8 * Cycles(channels, g.OC)
                ? FilterForm.SwappedRows
                : FilterForm.KernelRows;
        }

        /// <summary>Cycles per pixel of the tiles that cover rows x cols, as measured for the tile's sizes on AVX-512.</summary>
        private static double Cycles(int rows, int cols)
        {
            int wide = cols / PanelWidth;
            int rest = cols % PanelWidth;
            double column = wide + (rest > TLanes.Count ? 1 : rest > 0 ? 0.65 : 0);
            int tail = rows % Tile<TLanes>.MaxRows;
            return column * ((rows - tail) + ((tail + 3) / 4 * 4));
        }
    }
}
