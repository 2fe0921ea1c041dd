namespace FastNN.Cpu;

/// <summary>How an indirect convolution is cut into tasks: by samples, output rows and panels of output channels.</summary>
internal readonly unsafe struct ConvolutionSplit
{
    // Enough tasks for a dozen threads to even out, each long against the fraction of a microsecond it costs to claim one.
    private const int WantedTasks = 64;
    private const int EnoughTasks = 16;
    private const double WantedFlops = 2e6;

    private readonly WorkerPool _pool;

    public readonly int SamplesPerTask;
    public readonly int RowsPerTask;
    public readonly int PanelsPerTask;
    public readonly int Tasks;

    private readonly int _rowTasks;
    private readonly int _panelTasks;

    private ConvolutionSplit(WorkerPool pool, in ConvolutionOperands o, int samplesPerTask, int rowsPerTask, int panelsPerTask)
    {
        _pool = pool;
        SamplesPerTask = samplesPerTask;
        RowsPerTask = rowsPerTask;
        PanelsPerTask = panelsPerTask;
        _rowTasks = Parts(o.Vertical.Count, rowsPerTask);
        _panelTasks = Parts(o.Filter.Panels * o.Groups, panelsPerTask);
        Tasks = checked(Parts(o.Samples, samplesPerTask) * _rowTasks * _panelTasks);
    }

    /// <summary>How rows are cut changes no sum, so it may depend on the number of threads.</summary>
    public static ConvolutionSplit For(WorkerPool pool, in ConvolutionOperands o)
    {
        int panels = o.Filter.Panels * o.Groups;
        long pixels = (long)o.Vertical.Count * o.Horizontal.Count;
        double flops = 2.0 * o.Samples * pixels * o.Vertical.Taps * o.Horizontal.Taps * o.Depth * o.Cols * o.Groups;
        // Short products are bound by what they write: a task of a quarter of a megabyte.
        double wanted = Math.Clamp(
            Math.Max(flops / WantedFlops, o.Samples * pixels * o.Cols * o.Groups / 65536.0), 1, WantedTasks);

        int samples = Math.Max(1, (int)(o.Samples / wanted));
        if (!o.Vertical.IsInside || !o.Horizontal.IsInside)
        {
            // Border classes of small images have a few pixels per sample; several samples fill their tiles.
            samples = Math.Max(samples, (int)Math.Clamp(768 / pixels, 1, Math.Max(1, o.Samples / 8)));
        }
        int sampleTasks = Parts(o.Samples, samples);
        samples = Parts(o.Samples, sampleTasks);

        int rowParts = 1;
        int panelParts = 1;
        int missing = (int)Math.Ceiling(Math.Min(wanted, EnoughTasks) / sampleTasks);
        if (missing > 1)
        {
            // Each row block reads the whole filter, each panel block the whole image; the smaller is read more often.
            bool panelsFirst = o.Filter.Bytes > 512 << 10;
            panelParts = panelsFirst ? Math.Min(panels, missing) : 1;
            int rowsAtLeast = Math.Max(1, (int)(48 / Math.Max(1, o.Horizontal.Count)));
            rowParts = Math.Min(Parts(o.Vertical.Count, rowsAtLeast), Parts(missing, panelParts));
            panelParts = panelsFirst ? panelParts : Math.Min(panels, Parts(missing, rowParts));
        }
        int rows = Balanced(o.Vertical.Count, Parts(o.Vertical.Count, rowParts), sampleTasks * panelParts, pool.Threads);
        return new ConvolutionSplit(pool, o, samples, rows, Parts(panels, panelParts));
    }

    /// <summary>Rows of a task, at most so many and at least half, such that the thread with the most tasks has least.</summary>
    private static int Balanced(int rows, int most, int others, int threads)
    {
        (int best, long shortest) = (most, long.MaxValue);
        for (int perTask = most; perTask * 2 >= most && threads > 1 && perTask > 0; perTask--)
        {
            long length = (long)perTask * Parts(Parts(rows, perTask) * others, threads);
            if (length < shortest)
            {
                (best, shortest) = (perTask, length);
            }
        }

        return best;
    }

    public static (int First, int End) Range(int part, int perPart, int count) =>
        (part * perPart, Math.Min(count, (part + 1) * perPart));

    public byte* Scratch(int worker) => _pool.Scratch(worker);

    public void Locate(int task, out int samples, out int rows, out int panels)
    {
        panels = task % _panelTasks;
        task /= _panelTasks;
        rows = task % _rowTasks;
        samples = task / _rowTasks;
    }

    private static int Parts(int count, int perPart) => (count + perPart - 1) / perPart;
}
