using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Cli.Running;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn profile RECIPE`</summary>
internal static class ProfileCommand
{
    /// <summary>A program warms up for two steps and is captured behind the second.</summary>
    private const int WarmUp = 3;

    public static Command Create(CommandContext context)
    {
        Argument<SupervisedRecipe> recipe = Settings.SupervisedRecipeName("profile");
        Option<int?> batch = Settings.Batch(), threads = Settings.Threads(), steps = Settings.Steps(
            "--steps", "Measured steps on the CPU, and seven times as many between them that are not; by default what takes some seconds.");
        Option<string> device = Settings.Device();
        Option<string?> data = Settings.Data(), json = Settings.Json("the figures");
        var trace = new Option<string?>("--trace")
        {
            Description = "On the CPU: write each step as a trace for chrome://tracing and Perfetto.",
            HelpName = "FILE",
        };
        var command = new Command(
            "profile",
            "Show where a training step's time goes on the CPU, operator by operator; with --device cuda count what one captured step does, kernel by kernel, on the software CUDA device.")
        {
            recipe, batch, steps, threads, device, data, trace, json,
        };
        command.SetAction(result =>
        {
            SupervisedRecipe chosen = result.GetRequiredValue(recipe);
            string? jsonPath = result.GetValue(json), tracePath = result.GetValue(trace);
            if (jsonPath is not null)
            {
                Outputs.CheckJson(jsonPath);
            }

            if (tracePath is not null)
            {
                Outputs.CheckFile("--trace", tracePath);
            }

            if (result.GetValue(device) == "cpu")
            {
                return OnCpu(
                    context, chosen, result.GetValue(batch) ?? chosen.Batch, result.GetValue(steps),
                    result.GetValue(threads), result.GetValue(data), tracePath, jsonPath);
            }

            return tracePath is null && result.GetValue(device) == "cuda"
                ? Run(context, chosen, result.GetValue(batch), result.GetValue(data), jsonPath)
                : throw Failure.OfUsage(tracePath is null
                    ? "profile measures on --device cpu, and counts on --device cuda; best may be either"
                    : "--trace: the software CUDA device counts and measures no times; a trace is of --device cpu");
        });
        return command;
    }

    private static int OnCpu(
        CommandContext context, SupervisedRecipe recipe, int size, int? steps, int? threads, string? data, string? trace,
        string? json)
    {
        TextWriter output = json == Outputs.StandardOutput ? context.Error : context.Output;
        using Device device = Device.Cpu(threads ?? 0);
        RecipeData examples = recipe.Prepare(data, limit: null, output.WriteLine);
        Layer model = recipe.CreateModel();
        model.Build(recipe.ExampleShape);
        using Trainer trainer = recipe.CreateTrainer(model, device);
        Planning.RequireMemory(Planning.Plan(trainer, size), size, device);
        using DataLoader loader = Loader(examples, size, context.Cancellation, out Batch batch);
        var profile = CpuProfile.Measure(trainer, device, batch, steps, context.Cancellation);
        if (trace is not null)
        {
            AtomicFile.Write(trace, profile.Profile.WriteTrace);
        }

        if (json is not null)
        {
            Outputs.WriteJson(
                json, context.Output, CpuProfileResult.Of(recipe.Name, size, profile), ResultJson.Default.CpuProfileResult);
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{recipe.Name}, training steps of {size} on {device.Description}; MFLOP and MB are counted by definition, us are medians, all per call"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a step takes {profile.PlainSeconds * 1e3:F3} ms (median of {profile.PlainSteps}), {profile.MeasuredSeconds * 1e3:F3} ms while it is measured (of {profile.Steps}; {100 * profile.Overhead:+0.0;-0.0} %; one in eight is, so {100 * profile.RunOverhead:+0.0;-0.0} % of the run)"));
        IEnumerable<string> passes = Enum.GetValues<ProfilePass>().Select(pass => string.Create(
            CultureInfo.InvariantCulture, $"{pass.ToString().ToLowerInvariant()} {profile.ShareOf(pass):P1}"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{string.Join(", ", passes)}, {profile.OutsideShare:P1} outside of operators: the batch is copied in and the loss is read"));
        output.WriteLine();
        output.Write(profile.Profile.ToString());
        if (trace is not null)
        {
            output.WriteLine();
            output.WriteLine($"trace: {trace} (open it in chrome://tracing or ui.perfetto.dev)");
        }

        return 0;
    }

    private static int Run(CommandContext context, SupervisedRecipe recipe, int? batch, string? data, string? json)
    {
        TextWriter output = json == Outputs.StandardOutput ? context.Error : context.Output;
        int size = batch ?? recipe.Batch;
        using Device device = Device.Cuda();
        SoftwareDevice counters = SoftwareDevice.Of(device.Implementation) ?? throw new CliException(
            $"profile needs the software CUDA device, got {device.Description}; set FASTNN_CUDA_PATH to its folder (build/softcuda)");
        DeviceCounts profile = Count(
            recipe, size, recipe.Prepare(data, limit: null, output.WriteLine), device, counters, context.Cancellation);
        if (json is not null)
        {
            Outputs.WriteJson(
                json, context.Output, ProfileResult.Of(recipe.Name, size, device.Description, profile),
                ResultJson.Default.ProfileResult);
        }

        if (json != Outputs.StandardOutput)
        {
            Write(context.Output, recipe, size, device, profile);
        }

        return 0;
    }

    private static DeviceCounts Count(
        SupervisedRecipe recipe, int size, RecipeData data, Device device, SoftwareDevice counters,
        CancellationToken cancellationToken)
    {
        Layer model = recipe.CreateModel();
        model.Build(recipe.ExampleShape);
        using Trainer trainer = recipe.CreateTrainer(model, device);
        using DataLoader loader = Loader(data, size, cancellationToken, out Batch batch);
        for (int i = 0; i < WarmUp; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            CpuProfile.Step(trainer, batch);
        }

        counters.ResetCounters();
        CpuProfile.Step(trainer, batch);
        return counters.Counts();
    }

    private static DataLoader Loader(RecipeData data, int size, CancellationToken cancellationToken, out Batch batch)
    {
        if (data.Train.Count < size)
        {
            throw new CliException(
                $"profile: {data.Description} has fewer than {size} training examples; a smaller --batch takes fewer");
        }

        var loader = new DataLoader(data.Train, size, dropLast: true);
        loader.StartEpoch(1, cancellationToken: cancellationToken);
        loader.TryNext(out batch);
        return loader;
    }

    private static void Write(TextWriter output, SupervisedRecipe recipe, int batch, Device device, DeviceCounts profile)
    {
        output.WriteLine($"{recipe.Name}, one captured training step of {batch} on {device.Description}");
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{profile.GraphLaunches} graph launch, {profile.Launches} kernels, {profile.Allocations} allocations, {profile.Synchronizations} synchronization; " +
            $"{profile.HostToDevice.Count} copies to the device ({profile.HostToDevice.Bytes:N0} bytes), {profile.DeviceToHost.Count} back ({profile.DeviceToHost.Bytes:N0} bytes)"));
        output.WriteLine(
            "MB and MFLOP are counted; us are a roofline on paper, from the published bandwidth and peak of each GPU: no time was measured");
        output.WriteLine();
        int width = Math.Max("kernel".Length, profile.Kernels.Max(kernel => kernel.Name.Length));
        string header =
            $"{"kernel".PadRight(width)}  launches  warp instr.  diverging     MB moved   MB ideal  ratio      MFLOP  conflicts";
        output.WriteLine(header + string.Concat(PaperGpu.All.Select(gpu => $"{gpu.Name + " us",9}")));
        foreach (KernelCounts kernel in profile.Kernels.OrderByDescending(PaperGpu.A100.Seconds))
        {
            output.WriteLine(Line(kernel, width));
        }

        string total = "all".PadRight(header.Length);
        output.WriteLine(total + string.Concat(PaperGpu.All.Select(gpu => Microseconds(profile.Kernels.Sum(gpu.Seconds)))));
    }

    private static string Line(KernelCounts kernel, int width)
    {
        string counts = kernel.Library
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{"library",11}  {"",9}  {"",11}  {kernel.IdealBytes / 1e6,9:F3}  {"",5}  {kernel.Flops / 1e6,9:F3}  {"",9}")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{kernel.WarpInstructions,11:N0}  {kernel.DivergentBranches,9:N0}  {kernel.MovedBytes / 1e6,11:F3}  {kernel.IdealBytes / 1e6,9:F3}  " +
                $"{kernel.MovedRatio,5:F2}  {kernel.Flops / 1e6,9:F3}  {kernel.BankConflicts,9:N0}");
        return $"{kernel.Name.PadRight(width)}  {kernel.Launches,8}  {counts}{string.Concat(PaperGpu.All.Select(gpu => Microseconds(gpu.Seconds(kernel))))}";
    }

    private static string Microseconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6,9:F2}");
}
