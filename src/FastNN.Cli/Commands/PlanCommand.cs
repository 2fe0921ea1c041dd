using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FastNN.Cli.Recipes;
using FastNN.Cli.Running;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn plan RECIPE`</summary>
internal static class PlanCommand
{
    public static Command Create(CommandContext context)
    {
        Argument<Recipe> recipe = Settings.RecipeName();
        Option<int?> batch = Settings.Batch(), threads = Settings.Threads();
        Option<string?> json = Settings.Json("the plan");
        var command = new Command("plan", "Show how a training step's memory is planned.") { recipe, batch, threads, json };
        command.SetAction(result => Run(
            context, result.GetRequiredValue(recipe), result.GetValue(batch), result.GetValue(threads), result.GetValue(json)));
        return command;
    }

    private static int Run(CommandContext context, Recipe recipe, int? batch, int? threads, string? json)
    {
        if (json is not null)
        {
            Outputs.CheckJson(json);
        }

        int size = batch ?? recipe.Batch;
        using Device device = Device.Cpu(threads ?? 0);
        Layer model = recipe.CreateModel();
        model.Build(recipe.ExampleShape);
        using var trainer = new Trainer(model, device, recipe.Loss, recipe.CreateOptimizer(recipe.LearningRate));
        MemoryPlan plan = trainer.PlanMemory(size);
        if (json is not null)
        {
            Outputs.WriteJson(json, context.Output, writer => Write(writer, recipe, size, plan));
        }

        if (json != Outputs.StandardOutput)
        {
            Write(context.Output, recipe, size, plan);
        }

        return 0;
    }

    private static void Write(TextWriter output, Recipe recipe, int batch, MemoryPlan plan)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{recipe.Name}, a training step of {batch}: {plan.Buffers.Count} buffers; steps count the operators forward, then backward"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"peak {plan.PeakBytes:N0} bytes, lower bound {plan.LowerBoundBytes:N0} bytes, ratio {Ratio(plan):F3}; without sharing {plan.Buffers.Sum(buffer => buffer.Bytes):N0} bytes"));
        output.WriteLine();
        int width = Math.Max("buffer".Length, plan.Buffers.Max(buffer => buffer.Name.Length));
        output.WriteLine($"{"buffer".PadRight(width)}  {"bytes",12}  {"offset",12}  steps");
        foreach (PlannedBuffer buffer in plan.Buffers)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{buffer.Name.PadRight(width)}  {buffer.Bytes,12:N0}  {buffer.Offset,12:N0}  {buffer.FirstStep}..{buffer.LastStep}"));
        }
    }

    private static void Write(Utf8JsonWriter json, Recipe recipe, int batch, MemoryPlan plan)
    {
        json.WriteStartObject();
        json.WriteString("recipe", recipe.Name);
        json.WriteNumber("batch", batch);
        json.WriteNumber("planPeakBytes", plan.PeakBytes);
        json.WriteNumber("planLowerBoundBytes", plan.LowerBoundBytes);
        json.WriteNumber("ratio", Ratio(plan));
        json.WriteStartArray("buffers");
        foreach (PlannedBuffer buffer in plan.Buffers)
        {
            json.WriteStartObject();
            json.WriteString("name", buffer.Name);
            json.WriteNumber("bytes", buffer.Bytes);
            json.WriteNumber("offset", buffer.Offset);
            json.WriteNumber("first", buffer.FirstStep);
            json.WriteNumber("last", buffer.LastStep);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static double Ratio(MemoryPlan plan) => plan.LowerBoundBytes == 0 ? 1 : (double)plan.PeakBytes / plan.LowerBoundBytes;
}
