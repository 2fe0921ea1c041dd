using FastNN.Kernels;

namespace FastNN.Cuda;

/// <summary>
/// An NVIDIA GPU: its core and one facet for each kind of kernel, which launches those of kernels/*.cu or calls cuBLAS and cuDNN.
/// </summary>
internal sealed class CudaDevice : CudaCore, IDevice
{
    private readonly CudaWindows _windows;
    private readonly CudaRecurrence _recurrence;

    /// <summary>Opens a GPU.</summary>
    /// <exception cref="DeviceException">There is no driver or no GPU with this index, or the driver rejects the
    /// kernels.</exception>
    public CudaDevice(int ordinal, CudaOptions? options = null, KernelSource? kernels = null)
        : base(ordinal, options, kernels)
    {
        Elements = new CudaElements(this);
        Reductions = new CudaReductions(this);
        Products = new CudaProducts(this);
        _windows = new CudaWindows(this);
        Normalizations = new CudaNormalizations(this);
        Indexing = new CudaIndexing(this);
        Attention = new CudaAttention(this);
        _recurrence = new CudaRecurrence(this);
        Losses = new CudaLosses(this);
        Updates = new CudaUpdates(this);
    }

    public IElements Elements { get; }

    public IReductions Reductions { get; }

    public IProducts Products { get; }

    public IWindows Windows => _windows;

    public INormalizations Normalizations { get; }

    public IIndexing Indexing { get; }

    public IAttention Attention { get; }

    public IRecurrence Recurrence => _recurrence;

    public ILosses Losses { get; }

    public IUpdates Updates { get; }

    public IMemory Memory => this;

    public long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        _windows.Conv2DWorkspaceBytes(geometry, pass);

    public bool WantsTransposedFilter(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        _windows.WantsTransposedFilter(geometry, pass);

    public bool FinishesProductApart(long m, int k, int n) => CudaProducts.FinishesApart(m, k, n);

    public bool AddsInNormalization(int length) => CudaNormalizations.AddsFirst(length);

    /// <summary>A kernel for each function is compiled for those that a pass has joined already.</summary>
    public bool AppliesBehindProducts(Activation activation) => false;

    public long MaxPool2DWinnerBytes(in Pool2DGeometry geometry) => CudaWindows.MaxPool2DWinnerBytes(geometry);

    public long RecurrenceSavedBytes(RecurrenceGeometry geometry, bool training) =>
        _recurrence.RecurrenceSavedBytes(geometry, training);

    public long RecurrenceWorkspaceBytes(RecurrenceGeometry geometry, bool backward) =>
        _recurrence.RecurrenceWorkspaceBytes(geometry, backward);
}
