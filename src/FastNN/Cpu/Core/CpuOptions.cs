namespace FastNN;

/// <summary>How the processor computes.</summary>
public sealed record CpuOptions
{
    /// <summary>
    /// Whether 3 x 3 convolutions of stride 1 with at least 16 channels and filters, multiples of 16, may be computed by
    /// Winograd's algorithm F(4 x 4, 3 x 3), with a quarter of the multiplications: about twice as fast. Default true. Its
    /// rounding error is about six times that of direct sums, 6e-6 of the largest output instead of 1e-6; gradients likewise. The
    /// same call gives the same bits in every run and for any number of threads either way.
    /// </summary>
    public bool AllowWinograd { get; init; } = true;
}
