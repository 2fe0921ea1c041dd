using System.CommandLine;
using FastNN.Cli.Checks;
using Spectre.Console;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn selftest`</summary>
internal static class SelfTestCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string> device = Settings.Device();
        Option<int?> threads = Settings.Threads();
        var quick = new Option<bool>("--quick")
        {
            Description = "A quarter of the operators' and PyTorch's cases.",
        };
        var references = new Option<bool>("--references")
        {
            Description = "Print the reference numbers as this machine's CPU computes them.",
            Hidden = true,
        };
        var command = new Command(
            "selftest",
            "Check every operator and optimizer on a device: against references in double, PyTorch's numbers, and networks and a short training "
            + "against one thread of the CPU.")
        {
            device, threads, quick, references,
        };
        command.SetAction(result =>
        {
            if (result.GetValue(references))
            {
                NetworkChecks.WriteReferences(context.Output);
                return 0;
            }

            using Device opened = Devices.Open(result.GetValue(device)!, result.GetValue(threads), context.Output.WriteLine);
            return Run(context, opened, result.GetValue(quick)) ? 0 : 1;
        });
        return command;
    }

    private static bool Run(CommandContext context, Device device, bool quick)
    {
        using var one = Device.Cpu(1);
        IReadOnlyList<SelfTestFamily> families = SelfTestPlan.Create(device, one, quick);
        if (!context.IsTerminal)
        {
            return new SelfTest(device, context.Output.WriteLine, _ => { }, context.Cancellation).Run(families);
        }

        IAnsiConsole console = AnsiConsole.Console;
        return console.Status().Start("...", status => new SelfTest(
            device, line => console.WriteLine(line), text => status.Status = Markup.Escape(text),
            context.Cancellation).Run(families));
    }
}
