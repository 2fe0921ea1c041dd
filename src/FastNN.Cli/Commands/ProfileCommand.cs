using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn profile RECIPE`</summary>
internal static class ProfileCommand
{
    /// <summary>A program warms up for two steps and is captured behind the second.</summary>
    private const int WarmUp = 3;

    public static Command Create(CommandContext context)
    {
        Argument<SupervisedRecipe> recipe = Settings.SupervisedRecipeName("profile");
        Option<int?> batch = Settings.Batch();
        Option<string> device = Settings.Device();
        Option<string?> data = Settings.Data(), json = Settings.Json("the counts");
        var command = new Command(
            "profile", "Count what one captured training step does, kernel by kernel, on the software CUDA device.")
        {
            recipe, batch, device, data, json,
        };
        command.SetAction(result =>
        {
            if (result.GetValue(device) != "cuda")
            {
                throw Failure.OfUsage("profile counts the work of a CUDA device; add --device cuda");
            }

            return Run(
                context, result.GetRequiredValue(recipe), result.GetValue(batch), result.GetValue(data), result.GetValue(json));
        });
        return command;
    }

    private static int Run(CommandContext context, SupervisedRecipe recipe, int? batch, string? data, string? json)
    {
        if (json is not null)
        {
            Outputs.CheckJson(json);
        }

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
        using var loader = new DataLoader(data.Train, size, dropLast: true);
        loader.StartEpoch(1, cancellationToken: cancellationToken);
        if (!loader.TryNext(out Batch batch))
        {
            throw new CliException(
                $"profile: {data.Description} has fewer than {size} training examples; a smaller --batch takes fewer");
        }

        for (int i = 0; i < WarmUp; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Step(trainer, batch);
        }

        counters.ResetCounters();
        Step(trainer, batch);
        return counters.Counts();
    }

    private static void Step(Trainer trainer, in Batch batch) =>
        _ = batch.Labels.IsEmpty
            ? trainer.TrainBatch(batch.Features, batch.Targets)
            : trainer.TrainBatch(batch.Features, batch.Labels);

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
