namespace FastNN.Cli.Commands;

/// <summary>Opens the device that the command line names.</summary>
internal static class Devices
{
    public const string NoCuda = "this build of FastNN has no CUDA kernels";

    /// <param name="name">cpu, cuda or best.</param>
    /// <param name="threads">Processor threads, or null for all.</param>
    /// <param name="notice">Told once what best fell back to.</param>
    public static Device Open(string name, int? threads, Action<string> notice)
    {
        switch (name)
        {
            case "cuda":
                throw Failure.OfUsage($"--device cuda: {NoCuda}; use --device cpu");
            case "best":
                notice($"device: {NoCuda}, so the best there is is the CPU");
                break;
        }

        return Device.Cpu(threads ?? 0);
    }
}
