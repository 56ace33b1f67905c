// Asks whether the desk is there, for all pages of it: beside them, since a browser writes each question that nobody answers into the
// records of the page that asks it.

onconnect = ({ ports: [page] }) => {
  page.onmessage = async () => {
    const signal = AbortSignal.timeout(5000);
    page.postMessage(await fetch("icon.svg", { signal }).then((answer) => answer.ok, () => false));
  };
};
