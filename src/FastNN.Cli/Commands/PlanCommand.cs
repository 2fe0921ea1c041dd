using System.CommandLine;
using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Cli.Running;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn plan RECIPE`</summary>
internal static class PlanCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<SupervisedRecipe> recipe = Settings.SupervisedRecipeName("plan");
        Option<int?> batch = Settings.Batch(), threads = Settings.Threads();
        Option<string?> json = Settings.Json("the plan");
        var command = new Command("plan", "Show how a training step's memory is planned.") { recipe, batch, threads, json };
        command.SetAction(result => Run(
            context, result.GetRequiredValue(recipe), result.GetValue(batch), result.GetValue(threads), result.GetValue(json)));
        return command;
    }

    private static int Run(CommandContext context, SupervisedRecipe recipe, int? batch, int? threads, string? json)
    {
        if (json is not null)
        {
            Outputs.CheckJson(json);
        }

        int size = batch ?? recipe.Batch;
        using Device device = Device.Cpu(threads ?? 0);
        Layer model = recipe.CreateModel();
        model.Build(recipe.ExampleShape);
        using Trainer trainer = recipe.CreateTrainer(model, device);
        MemoryPlan plan = Planning.Plan(trainer, size);
        var figures = PlanResult.Of(recipe.Name, size, plan);
        if (json is not null)
        {
            Outputs.WriteJson(json, context.Output, figures, ResultJson.Default.PlanResult);
        }

        if (json != Outputs.StandardOutput)
        {
            Write(context.Output, figures);
        }

        return 0;
    }

    private static void Write(TextWriter output, PlanResult plan)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.Recipe}, a training step of {plan.Batch}: {plan.Buffers.Count} buffers; steps count the operators forward, then backward"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"peak {plan.PlanPeakBytes:N0} bytes, lower bound {plan.PlanLowerBoundBytes:N0} bytes, ratio {plan.Ratio:F3}; without sharing {plan.Buffers.Sum(buffer => buffer.Bytes):N0} bytes"));
        output.WriteLine();
        int width = Math.Max("buffer".Length, plan.Buffers.Max(buffer => buffer.Name.Length));
        output.WriteLine($"{"buffer".PadRight(width)}  {"bytes",12}  {"offset",12}  steps");
        foreach (PlannedBufferResult buffer in plan.Buffers)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{buffer.Name.PadRight(width)}  {buffer.Bytes,12:N0}  {buffer.Offset,12:N0}  {buffer.First}..{buffer.Last}"));
        }
    }
}
