namespace FastNN.Stress;

/// <param name="Patience">After so long in one operation a thread is taken to hang.</param>
internal sealed record Options(string DeviceKind, int Threads, int Seed, TimeSpan Duration, TimeSpan Patience)
{
    /// <summary>A device of the kind asked for; on the CPU with a number of threads.</summary>
    public Device Open(int threads) => DeviceKind == "cuda" ? Device.Cuda() : Device.Cpu(threads);
}
