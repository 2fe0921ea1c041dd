namespace FastNN.Cli.Commands;

/// <summary>Opens the device that the command line names.</summary>
internal static class Devices
{
    /// <param name="name">cpu, cuda or best.</param>
    /// <param name="threads">Processor threads, or null for all.</param>
    /// <param name="notice">Told why best is the CPU, and what keeps the device from its full speed.</param>
    public static Device Open(string name, int? threads, Action<string> notice)
    {
        Device device = Create(name, threads, notice);
        foreach (string warning in device.Warnings)
        {
            notice($"warning: {warning}");
        }

        return device;
    }

    private static Device Create(string name, int? threads, Action<string> notice)
    {
        switch (name)
        {
            case "cuda":
                try
                {
                    return Device.Cuda();
                }
                catch (DeviceException exception)
                {
                    throw new CliException($"{exception.Message} (--device cpu runs without a GPU)");
                }

            case "best":
                Device best = Device.Best(threads ?? 0);
                if (best.FallbackReason is { } reason)
                {
                    notice($"device: using the CPU, because no GPU is usable: {reason}");
                }

                return best;
            default:
                return Device.Cpu(threads ?? 0);
        }
    }
}
