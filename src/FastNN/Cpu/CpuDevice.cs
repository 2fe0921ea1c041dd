using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// The CPU: its core and one facet for each kind of kernel, in managed SIMD. The same call gives the same bits whatever the
/// number of threads.
/// </summary>
internal sealed class CpuDevice : CpuCore, IDevice
{
    private readonly CpuWindows _windows;

    /// <summary>A device with so many threads, the caller among them.</summary>
    /// <param name="threads">0 for one per logical processor.</param>
    /// <param name="options">How kernels may compute; null for the defaults.</param>
    /// <exception cref="DeviceException">The number is negative or above <see cref="CpuCore.MaxThreads"/>.</exception>
    public CpuDevice(int threads, CpuOptions? options = null)
        : base(threads, options ?? new CpuOptions())
    {
        Elements = new CpuElements(this);
        Reductions = new CpuReductions(this);
        Products = new CpuProducts(this);
        _windows = new CpuWindows(this);
        Normalizations = new CpuNormalizations(this);
        Indexing = new CpuIndexing(this);
        Attention = new CpuAttention(this);
        Recurrence = new CpuRecurrence(this);
        Losses = new CpuLosses(this);
        Updates = new CpuUpdates(this);
    }

    public IElements Elements { get; }

    public IReductions Reductions { get; }

    public IProducts Products { get; }

    public IWindows Windows => _windows;

    public INormalizations Normalizations { get; }

    public IIndexing Indexing { get; }

    public IAttention Attention { get; }

    public IRecurrence Recurrence { get; }

    public ILosses Losses { get; }

    public IUpdates Updates { get; }

    public IMemory Memory => this;

    public long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        _windows.Conv2DWorkspaceBytes(geometry, pass);

    /// <summary>Sums get their bias and activation while they are in registers.</summary>
    public bool FinishesProductApart(long m, int k, int n) => false;

    public bool AddsInNormalization(int length) => false;

    /// <summary>Any function of one parameter at most goes over a tile that is still in the first-level cache.</summary>
    public bool AppliesBehindProducts(Activation activation) => activation.Function.Info.Scalars.Length <= 1;

    public bool WantsTransposedFilter(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        CpuWindows.WantsTransposedFilter(geometry, pass);

    public bool PoolsBehindConvolution(in Conv2DGeometry convolution, in Pool2DGeometry pooling) =>
        _windows.PoolsBehindConvolution(convolution, pooling);

    public bool FiltersBehindProduct(in Conv2DGeometry product, in Conv2DGeometry depthwise) =>
        CpuWindows.FiltersBehindProduct(product, depthwise);

    public long MaxPool2DWinnerBytes(in Pool2DGeometry geometry) => CpuWindows.MaxPool2DWinnerBytes(geometry);

    public long RecurrenceSavedBytes(RecurrenceGeometry geometry, bool training) => geometry.SavedBytes(training);

    public long RecurrenceWorkspaceBytes(RecurrenceGeometry geometry, bool backward) =>
        backward ? geometry.BackwardBytes : geometry.ForwardBytes;
}
