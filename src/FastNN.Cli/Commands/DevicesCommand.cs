using System.CommandLine;
using System.Globalization;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn devices`</summary>
internal static class DevicesCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("devices", "List the devices and what each one can use.");
        command.SetAction(_ =>
        {
            using Device device = Device.Cpu();
            context.Output.WriteLine($"cpu   {device.Description}");
            foreach (string warning in device.Warnings)
            {
                context.Output.WriteLine($"      warning: {warning}");
            }

            WriteCuda(context.Output, Device.ProbeCuda());
            return 0;
        });
        return command;
    }

    private static void WriteCuda(TextWriter output, CudaProbe probe)
    {
        if (probe.Kernels is null)
        {
            output.WriteLine(
                "cuda  not available: this build of FastNN has no CUDA kernels (they need cmake and clang 16 or newer when it is built)");
            return;
        }

        if (probe.Reason is { } reason)
        {
            output.WriteLine($"cuda  not available: {reason}");
            output.WriteLine($"      kernels  {probe.Kernels}");
            return;
        }

        foreach (CudaDeviceInfo gpu in probe.Devices)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"cuda  {gpu.Index}: {gpu.Name}, compute capability {gpu.ComputeCapability}, {gpu.MemoryBytes / (1024.0 * 1024 * 1024):F1} GiB"
                + $"{(gpu.Unusable is { } why ? $"; not usable: {why}" : "")}"));
        }

        output.WriteLine(
            $"      driver   for CUDA {probe.DriverVersion}{(probe.IsSoftware ? "; the software CUDA device, which runs on the CPU and is for tests" : "")}");
        output.WriteLine($"      kernels  {probe.Kernels}: everything but large matrix products");
        output.WriteLine($"      cuBLAS   {probe.Cublas}: large matrix products");
        output.WriteLine($"      cuDNN    {probe.Cudnn}: convolutions, which FastNN's own kernels compute without it");
        output.WriteLine(
            "      TF32     off, unless a program sets CudaOptions.AllowTF32: products of cuBLAS and cuDNN are float32 like all others");
    }
}
