namespace FastNN.Cuda;

/// <summary>NVIDIA's libraries, each opened when it is first needed.</summary>
internal abstract unsafe partial class CudaCore
{
    // Made by whichever thread comes first; what they open, they open under the device's lock.
    private Blas? _blas;
    private Cudnn? _cudnn;

    /// <summary>Matrix products.</summary>
    internal Blas Blas => _blas ?? Interlocked.CompareExchange(ref _blas, new Blas(this, _options.AllowTF32), null) ?? _blas;

    /// <summary>Convolutions, where cuDNN is installed and wanted.</summary>
    internal Cudnn Cudnn =>
        _cudnn ?? Interlocked.CompareExchange(ref _cudnn, new Cudnn(this, _options.UseCudnn, _options.AllowTF32), null) ?? _cudnn;

    /// <summary>A library launched something on the compute stream.</summary>
    internal void CountLaunch() => _launches++;

    /// <summary>cuBLAS and cuDNN let go of what they hold; the context is bound and idle.</summary>
    private void ReleaseLibraries()
    {
        _blas?.Release();
        _cudnn?.Release();
    }
}
